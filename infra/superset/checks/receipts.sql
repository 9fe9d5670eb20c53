-- Receipts
-- The runs that were published in 30 days: when each was checked before it was shown, by how many checks, and how many rows waited in quarantine then. A run that found nothing new is not among them. lake receipts RUN says all of one.
SELECT
  format_datetime(max(checked_at) AT TIME ZONE 'UTC', 'yyyy-MM-dd HH:mm') AS "Checked (UTC)",
  count(*) AS "Checks",
  count_if(NOT is_passed AND layer <> 'quarantine') AS "Warnings",
  coalesce(sum(CASE WHEN layer = 'quarantine' THEN TRY_CAST(observed AS bigint) END), 0) AS "In quarantine",
  run_id AS "Receipt"
FROM audit.check_results
WHERE checked_at > current_timestamp - INTERVAL '30' DAY
GROUP BY run_id
ORDER BY "Checked (UTC)" DESC

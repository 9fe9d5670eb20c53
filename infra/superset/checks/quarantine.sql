-- Rows in quarantine
-- Rows of each table that were refused and wait to be mended, beside those that were taken, as the newest receipt counted them. Why they were refused is told by the dashboard Lake of the profile observe; what is in them is shown to nobody here.
SELECT
  table_name AS "Table",
  coalesce(max(CASE WHEN layer = 'quarantine' THEN TRY_CAST(observed AS bigint) END), 0) AS "Waiting",
  coalesce(max(CASE WHEN layer = 'cleaned' THEN TRY_CAST(observed AS bigint) END), 0) AS "Taken"
FROM audit.check_results
WHERE run_id = (SELECT max_by(run_id, checked_at) FROM audit.check_results)
  AND layer IN ('cleaned', 'quarantine')
  AND check_name = 'expect_table_row_count_to_equal'
GROUP BY table_name
ORDER BY "Waiting" DESC

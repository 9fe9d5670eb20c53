-- Tables behind the dashboards
-- When each was last written, and its rows. Its hours tell whether the lake keeps its schedule; a table without news is not written.
SELECT
  name AS "Table",
  rows_now AS "Rows",
  format_datetime(written_at AT TIME ZONE 'UTC', 'yyyy-MM-dd HH:mm') AS "Written (UTC)",
  round(date_diff('minute', written_at, current_timestamp) / 60.0, 1) AS "Hours ago"
FROM (
  SELECT 'campaign_effect' AS name, (SELECT count(*) FROM marts.campaign_effect) AS rows_now, max(committed_at) AS written_at
  FROM marts."campaign_effect$snapshots"
  UNION ALL
  SELECT 'cohort_retention' AS name, (SELECT count(*) FROM marts.cohort_retention) AS rows_now, max(committed_at) AS written_at
  FROM marts."cohort_retention$snapshots"
  UNION ALL
  SELECT 'customer_churn' AS name, (SELECT count(*) FROM marts.customer_churn) AS rows_now, max(committed_at) AS written_at
  FROM marts."customer_churn$snapshots"
  UNION ALL
  SELECT 'customer_value' AS name, (SELECT count(*) FROM marts.customer_value) AS rows_now, max(committed_at) AS written_at
  FROM marts."customer_value$snapshots"
  UNION ALL
  SELECT 'order_details' AS name, (SELECT count(*) FROM marts.order_details) AS rows_now, max(committed_at) AS written_at
  FROM marts."order_details$snapshots"
  UNION ALL
  SELECT 'payments_by_day' AS name, (SELECT count(*) FROM marts.payments_by_day) AS rows_now, max(committed_at) AS written_at
  FROM marts."payments_by_day$snapshots"
  UNION ALL
  SELECT 'reviews_by_day' AS name, (SELECT count(*) FROM marts.reviews_by_day) AS rows_now, max(committed_at) AS written_at
  FROM marts."reviews_by_day$snapshots"
  UNION ALL
  SELECT 'sales_by_day' AS name, (SELECT count(*) FROM marts.sales_by_day) AS rows_now, max(committed_at) AS written_at
  FROM marts."sales_by_day$snapshots"
  UNION ALL
  SELECT 'searches' AS name, (SELECT count(*) FROM marts.searches) AS rows_now, max(committed_at) AS written_at
  FROM marts."searches$snapshots"
  UNION ALL
  SELECT 'sessions' AS name, (SELECT count(*) FROM marts.sessions) AS rows_now, max(committed_at) AS written_at
  FROM marts."sessions$snapshots"
) AS written

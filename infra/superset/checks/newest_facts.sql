-- Newest day of each kind of event
-- The day (UTC) of the newest event that the lake holds. One that lies far behind the others has stopped to arrive.
SELECT
  name AS "Events",
  format_datetime(CAST(newest AS timestamp), 'yyyy-MM-dd') AS "Newest day",
  date_diff('day', newest, current_date) AS "Days ago"
FROM (
  SELECT 'Orders' AS name, max(order_date) AS newest FROM marts.order_details
  UNION ALL
  SELECT 'Payments', max(date_day) FROM marts.payments_by_day
  UNION ALL
  SELECT 'Reviews', max(date_day) FROM marts.reviews_by_day
  UNION ALL
  SELECT 'Sessions', max(date_day) FROM marts.sessions
  UNION ALL
  SELECT 'Searches', max(date_day) FROM marts.searches
) AS events

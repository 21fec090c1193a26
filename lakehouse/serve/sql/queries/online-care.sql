-- title: Signs of problem play or fraud on the last day: markers, haste, play in two places
-- for: online casino
-- param day = newest: gaming day, such as 2025-01-31
-- param signs = 1: signs at least
WITH asked AS (
  SELECT CASE WHEN $day = 'newest' THEN max(gaming_day) ELSE try_cast($day AS DATE) END AS gaming_day
  FROM gold.player_metrics
),
clicks AS (
  SELECT user_id, session_id, timestamp, country, ip_address, event_type, device
  FROM silver.clickstream JOIN asked USING (gaming_day)
),
told AS (
  SELECT user_id, session_id, min(timestamp) AS begins, max(timestamp) AS ends,
         any_value(country) AS country, any_value(device) AS device,
         count(*) AS events, stddev(gap) / nullif(avg(gap), 0) AS unevenness
  FROM (
    SELECT *, epoch_ms(timestamp) - epoch_ms(lag(timestamp) OVER (
      PARTITION BY session_id ORDER BY timestamp)) AS gap
    FROM clicks WHERE session_id IS NOT NULL)
  GROUP BY user_id, session_id
),
at_once AS (
  SELECT DISTINCT a.user_id, 'plays in ' || least(a.country, b.country) || ' and '
         || greatest(a.country, b.country) || ' at once' AS sign
  FROM told AS a JOIN told AS b ON a.user_id = b.user_id AND a.session_id < b.session_id
    AND a.begins < b.ends AND b.begins < a.ends AND a.country <> b.country
),
regular AS (
  SELECT user_id, 'events as regular as a program''s: ' || max(events) || ' in a session' AS sign
  FROM told WHERE events >= 50 AND unevenness < 0.25 GROUP BY user_id
),
signs AS (
  SELECT user_id, unnest(reasons) AS sign FROM gold.responsible_gaming JOIN asked USING (gaming_day)
  UNION ALL SELECT * FROM at_once
  UNION ALL SELECT * FROM regular
)
SELECT user_id, count(*) AS signs, string_agg(sign, '; ' ORDER BY sign) AS reasons,
       any_value(m.sessions) AS sessions, any_value(m.rounds) AS rounds, any_value(m.ggr) AS lost
FROM signs JOIN (SELECT * FROM gold.player_metrics JOIN asked USING (gaming_day)) AS m USING (user_id)
GROUP BY user_id
HAVING count(*) >= $signs::INTEGER
ORDER BY count(*) DESC, user_id

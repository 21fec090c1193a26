-- title: Signs of problem play or fraud on the last day: markers, haste, play in two places
-- for: online casino
-- param day = newest: gaming day, such as 2025-01-31
-- param signs = 1: signs at least
WITH asked AS (
  SELECT CASE WHEN $day = 'newest' THEN max(gaming_day) ELSE try_cast($day AS DATE) END AS gaming_day
  FROM gold.player_metrics
),
signs AS (
  SELECT user_id, unnest(reasons) AS sign FROM gold.responsible_gaming JOIN asked USING (gaming_day)
)
SELECT user_id, count(*) AS signs, string_agg(sign, '; ' ORDER BY sign) AS reasons,
       any_value(m.sessions) AS sessions, any_value(m.rounds) AS rounds, any_value(m.ggr) AS lost
FROM signs JOIN (SELECT * FROM gold.player_metrics JOIN asked USING (gaming_day)) AS m USING (user_id)
GROUP BY user_id
HAVING count(*) >= $signs::INTEGER
ORDER BY count(*) DESC, user_id

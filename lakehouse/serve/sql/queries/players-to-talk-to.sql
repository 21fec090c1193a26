-- title: Patrons whose play may harm them, with what was seen, for a conversation
-- for: protection officer
-- param days = 7: gaming days back from the newest
SELECT a.entity_id AS player_id, max(a.gaming_day) AS last_seen, max(a.score) AS score,
       count(*) AS alerts, arg_max(a.said, a.gaming_day) AS said,
       arg_max(a.suggested_action, a.gaming_day) AS suggested_action
FROM gold.anomalies a
WHERE a.family = 'protection'
  AND a.gaming_day > (SELECT max(gaming_day) FROM gold.anomalies) - $days::INTEGER
GROUP BY a.entity_id
ORDER BY score DESC, last_seen DESC, player_id

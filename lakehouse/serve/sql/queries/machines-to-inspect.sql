-- title: Machines with alerts, the longest episodes first
-- for: slot operations
-- param days = 28: gaming days back from the newest
SELECT e.entity_id AS machine_id, e.rule, max(e.day_of_episode) AS days_on_end,
       max(e.score) AS score, min(e.first_day) AS since, max(e.gaming_day) AS last_seen,
       any_value(p.zone) AS zone, any_value(p.denomination) AS denomination
FROM gold.alert_episodes e
LEFT JOIN gold.slot_performance p
    ON p.machine_id = e.entity_id AND p.gaming_day = e.gaming_day
WHERE e.entity_type = 'machine'
  AND e.gaming_day > (SELECT max(gaming_day) FROM gold.alert_episodes) - $days::INTEGER
GROUP BY e.entity_id, e.rule
ORDER BY days_on_end DESC, score DESC, machine_id

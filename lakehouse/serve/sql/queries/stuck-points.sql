-- title: Levels and maps where players get stuck, against levels of like difficulty
-- for: game designer
-- param days = 7: gaming days back from the newest
SELECT gaming_day, level_id, map_id, active_players, completion_rate, expected_rate, stuck_score,
       retention_d1, is_stuck
FROM gold.level_engagement
WHERE gaming_day > (SELECT max(gaming_day) FROM gold.level_engagement) - $days::INTEGER
  AND stuck_score > 2
ORDER BY stuck_score DESC, gaming_day, level_id, map_id

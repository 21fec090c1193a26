-- title: Who plays which level and map, and how long their sessions are (minutes)
-- for: game designer
-- param days = 1: gaming days back from the newest
SELECT level_id,
       map_id,
       count(DISTINCT player_id) AS active_players,
       round(sum(session_seconds) / 60.0 / sum(sessions), 1)::DOUBLE AS average_session_duration
FROM gold.player_levels
WHERE gaming_day > (SELECT max(gaming_day) FROM gold.player_levels) - $days::INTEGER
GROUP BY level_id, map_id
ORDER BY level_id, map_id

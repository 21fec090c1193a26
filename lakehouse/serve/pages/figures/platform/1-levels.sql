-- title: Active players by level and map, on the last day
-- draw: heat
-- x: level_id
-- y: map_id, active_players
SELECT level_id, map_id, sum(active_players)::BIGINT AS active_players
FROM gold.level_engagement
WHERE gaming_day = $last::DATE
GROUP BY ALL
ORDER BY level_id, map_id

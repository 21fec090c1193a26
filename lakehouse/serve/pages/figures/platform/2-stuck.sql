-- title: Where players get stuck
-- draw: table
SELECT level_id, map_id, tries, completion_rate, expected_rate, stuck_score, is_stuck
FROM gold.level_engagement
WHERE gaming_day = $last::DATE AND is_stuck
ORDER BY stuck_score DESC

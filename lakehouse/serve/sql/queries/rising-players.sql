-- title: Players whose last 30 days run ahead of their last 90
-- for: host
-- param rows = 25: players to show
SELECT player_id, loyalty_tier, tier_movement, theo_30, theo_90,
       round(3 * theo_30 / nullif(theo_90, 0), 2) AS pace, visits_30, visits_90, adt
FROM gold.player_value
WHERE gaming_day = (SELECT max(gaming_day) FROM gold.player_value)
  AND NOT is_protected
  AND visits_90 > visits_30
  AND 3 * theo_30 > theo_90
ORDER BY theo_30 - theo_90 / 3 DESC, player_id
LIMIT $rows::INTEGER

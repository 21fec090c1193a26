-- title: Who is worth most: theo of 30 days, ADT, expected value, budget
-- for: host
-- param rows = 25: players to show
SELECT player_id, loyalty_tier, theo_30, worth_30, adt, visits_30, last_visit,
       round(p_alive, 3) AS p_alive, expected_value_12m, reinvestment_budget
FROM gold.player_value
WHERE gaming_day = (SELECT max(gaming_day) FROM gold.player_value)
ORDER BY theo_30 DESC, player_id
LIMIT $rows::INTEGER

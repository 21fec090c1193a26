-- title: Valued players who stay away longer than they use to, and may be called
-- for: host
-- param adt = 100: lowest average daily theo, dollars
-- param rows = 25: players to show
SELECT player_id, loyalty_tier, adt, visits_365, last_visit, days_since_visit,
       round(p_alive, 3) AS p_alive, expected_value_12m, reinvestment_budget
FROM gold.player_value
WHERE gaming_day = (SELECT max(gaming_day) FROM gold.player_value)
  AND NOT is_protected
  AND adt >= $adt::DECIMAL(18, 2)
  AND days_since_visit > 2 * (date_diff('day', first_visit, last_visit) / greatest(visits - 1, 1))
  AND visits > 1
ORDER BY expected_value_12m DESC NULLS LAST, player_id
LIMIT $rows::INTEGER

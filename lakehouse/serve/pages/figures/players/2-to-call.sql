-- title: To call: valued players who stay away longer than they use to
-- draw: table
-- wide
-- without: player
-- param adt = 100: lowest average daily theo, dollars
-- note: Away more than twice their usual time between visits. Nobody excluded, protected or without consent to marketing is here.
SELECT player_id, loyalty_tier, adt, visits_365, last_visit, days_since_visit,
       round(p_alive, 3) AS p_alive, expected_value_12m, reinvestment_budget
FROM gold.player_value
WHERE gaming_day = (SELECT max(gaming_day) FROM gold.player_value WHERE gaming_day <= $last::DATE)
  AND NOT is_protected AND may_be_marketed_to
  AND adt >= $adt::DECIMAL(18, 2)
  AND visits > 1
  AND days_since_visit > 2 * (date_diff('day', first_visit, last_visit) / (visits - 1))
ORDER BY expected_value_12m DESC NULLS LAST, player_id

-- title: Players who lost far more than their theo on the last day, and may be cared for
-- for: host
-- param loss = 1000: lowest loss, dollars
SELECT d.player_id, v.loyalty_tier, d.actual AS loss, d.theo, d.actual - d.theo AS bad_luck,
       d.minutes, v.adt, v.reinvestment_budget
FROM gold.player_day AS d
JOIN gold.player_value AS v USING (player_id, gaming_day)
WHERE d.gaming_day = (SELECT max(gaming_day) FROM gold.player_day)
  AND d.actual >= $loss::DECIMAL(18, 2)
  AND d.actual > 3 * d.theo
  AND NOT v.is_protected
ORDER BY bad_luck DESC, d.player_id

-- title: How good each rule is
-- draw: table
-- wide
-- note: Judged against what the simulator planted, on the newest day that was scored; a real house has no rows here. `docs/detection.md` says how.
SELECT rule, cases, cases_found, recall, alerts, precision, alerts_per_day, lead_days
FROM gold.detection_quality
WHERE gaming_day = (SELECT max(gaming_day) FROM gold.detection_quality WHERE gaming_day <= $last::DATE)
  AND strength = 'all' AND family IN ('protection', 'player')
ORDER BY rule

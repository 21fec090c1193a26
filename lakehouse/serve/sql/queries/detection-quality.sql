-- title: How good each rule is, on the newest simulated day
-- for: surveillance room
-- param strength = all: all, blatant, middling or faint
SELECT rule, family, cases, cases_found, recall, recall_ended, alerts, precision, alerts_per_day, lead_days,
       base_rate, auprc, amount_auprc
FROM gold.detection_quality
WHERE strength = $strength
  AND gaming_day = (SELECT max(gaming_day) FROM gold.detection_quality)
ORDER BY family, rule

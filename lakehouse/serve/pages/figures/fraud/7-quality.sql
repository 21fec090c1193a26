-- title: How good each detector is
-- draw: table
-- note: Judged against what was planted, on the newest day that was scored; `docs/fraud.md` says how.
SELECT detector, kind, cases, cases_found, alerts, recall, precision
FROM gold.fraud_quality
WHERE gaming_day = (SELECT max(gaming_day) FROM gold.fraud_quality WHERE gaming_day <= $last::DATE)
ORDER BY detector, kind

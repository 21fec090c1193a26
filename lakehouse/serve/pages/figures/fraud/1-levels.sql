-- title: Fraud alerts of the shop by day
-- draw: bars
-- x: alert_date
-- y: critical_alerts, high_alerts, medium_alerts
SELECT alert_date, critical_alerts, high_alerts, medium_alerts
FROM gold.fraud_analysis
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE AND profile = 'tuned'
ORDER BY alert_date

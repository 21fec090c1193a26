-- title: Users by risk, on the last day
-- draw: table
-- wide
SELECT user_id, actions, sessions, high_frequency_share, bursts, longest_burst, night_share,
       risk_score, reasons
FROM gold.user_risk
WHERE gaming_day = $last::DATE AND risk_score > 0
ORDER BY risk_score DESC

-- title: Online: signs of problem play on the last day
-- draw: table
-- wide
SELECT user_id, sessions, minutes, longest_session_minutes, loss, night_rounds, chasing, rise_in_day,
       rise_over_days, reasons
FROM gold.responsible_gaming
WHERE gaming_day = $last::DATE AND len(reasons) > 0
ORDER BY len(reasons) DESC, loss DESC

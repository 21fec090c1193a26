-- title: Days online
-- draw: table
-- wide
-- with: player
SELECT gaming_day, user_id, sessions, minutes, longest_session_minutes, rounds, stakes, bonus, wins, ngr,
       games, devices
FROM gold.player_metrics
WHERE (user_id = $player OR player_id = $player) AND gaming_day BETWEEN $first::DATE AND $last::DATE
ORDER BY gaming_day DESC

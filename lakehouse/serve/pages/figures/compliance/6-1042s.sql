-- title: 1042-S of the days
-- draw: table
SELECT gaming_day, player_id, game_type, amount, withholding, winner_copy_due, efile_due, citation
FROM gold.form_1042s
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
ORDER BY gaming_day DESC, amount DESC

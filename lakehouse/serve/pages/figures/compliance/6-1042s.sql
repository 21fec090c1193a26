-- title: 1042-S of the days
-- draw: table
-- wide
-- empty: No win of these days is to be reported on a 1042-S.
-- without: filing
SELECT gaming_day, player_id, game_type, amount, withholding, winner_copy_due, efile_due, citation,
       'compliance?filing=1042-S-' || win_id AS opens
FROM gold.form_1042s
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
ORDER BY gaming_day DESC, amount DESC

-- title: W-2G of the days
-- draw: table
-- wide
-- empty: No win of these days is to be reported on a W-2G.
-- without: filing
SELECT gaming_day, player_id, game_type, reportable_winnings, withholding, withholding_kind, paid_on,
       winner_copy_due, efile_due, machine_id, table_id, citation,
       'compliance?filing=W-2G-' || win_id AS opens
FROM gold.w2g_forms
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
ORDER BY gaming_day DESC, reportable_winnings DESC

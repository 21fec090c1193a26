-- title: Holds outside their interval, the farthest first
-- draw: table
-- wide
-- note: The interval holds 99 days of 100 of a machine that is as built: one day of a hundred is outside by chance.
SELECT gaming_day, machine_id, zone, game_theme, coin_in, win, actual_hold, theoretical_hold,
       hold_low AS low_end_hold, hold_high AS high_end_hold
FROM gold.slot_performance
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE AND is_hold_outside
ORDER BY greatest(hold_low - actual_hold, actual_hold - hold_high) DESC, gaming_day DESC

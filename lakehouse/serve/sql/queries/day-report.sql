-- title: The property's last days: drop, win, hold, headcount, cash
-- for: finance controller
-- param days = 7: gaming days back from the newest
SELECT gaming_day, headcount, new_players,
       slot_coin_in, slot_win, round(slot_hold, 4) AS slot_hold,
       table_drop, table_win, round(table_hold, 4) AS table_hold,
       win, theo, win - theo AS luck, cash_position, is_reconciled
FROM gold.property_day
WHERE gaming_day > (SELECT max(gaming_day) FROM gold.property_day) - $days::INTEGER
ORDER BY gaming_day

-- title: Days on which a mart differs from silver, with the differences
-- for: finance controller
SELECT gaming_day, coin_in_difference, slot_win_difference, drop_difference,
       carded_coin_in_difference, cash_difference
FROM gold.property_day
WHERE NOT is_reconciled
ORDER BY gaming_day

-- title: Due within thirty days of the last day, or overdue
-- draw: table
-- wide
-- empty: Nothing is due within thirty days, and nothing is overdue.
-- without: filing
SELECT form, player_id, subject_day, amount, due, days_left, is_overdue, is_held_back,
       'compliance?filing=' || obligation_id AS opens
FROM gold.filing_calendar
WHERE gaming_day = $last::DATE AND (is_overdue OR days_left <= 30)
ORDER BY due, form, player_id

-- title: Forms not yet filed, by due date, as of the last gaming day
-- for: compliance officer
SELECT due, days_left, form, count(*) AS filings, sum(amount) AS amount,
       count(*) FILTER (is_held_back) AS held_back
FROM gold.filing_calendar
WHERE gaming_day = (SELECT max(gaming_day) FROM gold.filing_calendar)
GROUP BY due, days_left, form
ORDER BY due, form

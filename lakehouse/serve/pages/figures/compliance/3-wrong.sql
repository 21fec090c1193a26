-- title: Filed late, wrongly, or not at all
-- draw: table
-- wide
-- empty: Whatever was filed for these days is right and in time.
-- without: filing
SELECT gaming_day, form, verdict, player_id, subject_day, required_amount, filed_amount, due,
       filed_on, days_late, report_id,
       'compliance?filing=' || reconciliation_id AS opens
FROM gold.filing_reconciliation
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE AND verdict NOT IN ('matched', 'open')
ORDER BY due, form, player_id

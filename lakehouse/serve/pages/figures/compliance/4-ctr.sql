-- title: Currency transaction reports of the days
-- draw: table
-- wide
-- empty: No currency report is asked for on these days.
-- without: filing
SELECT gaming_day, player_id, cash_in::DECIMAL(18, 2) AS cash_in, cash_out::DECIMAL(18, 2) AS cash_out, multiple_transactions, due, citation, filing_id,
       'compliance?filing=' || filing_id AS opens
FROM gold.ctr_filings
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
ORDER BY gaming_day DESC, greatest(cash_in, cash_out) DESC

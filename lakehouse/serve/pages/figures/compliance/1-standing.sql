-- title: Filings by what became of them
-- draw: bars
-- x: verdict
-- y: filings
-- empty: The law asked for no filing on these days.
-- without: filing
SELECT verdict, count(*) AS filings
FROM gold.filing_reconciliation
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY verdict
ORDER BY filings DESC

-- title: Filings that are missing, late, wrong or needless
-- for: compliance officer
-- param days = 30: gaming days back from the newest
SELECT form, verdict, subject_day, due, filed_on, days_late, player_id, required_amount,
       filed_amount, report_id, evidence
FROM gold.filing_reconciliation
WHERE verdict NOT IN ('matched', 'open', 'amended')
  AND gaming_day > (SELECT max(gaming_day) FROM gold.filing_reconciliation) - $days::INTEGER
ORDER BY days_late DESC, due, reconciliation_id

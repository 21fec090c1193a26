-- title: What the law asks, and what was filed
-- draw: facts
-- with: filing
-- empty: There is no filing of this name.
SELECT form, verdict, player_id, filed_player_id, subject_day, required_amount, filed_amount,
       required_cash_in, filed_cash_in, required_cash_out, filed_cash_out, due, filed_on, days_late,
       is_held_back, report_id, amended_report_id, evidence
FROM gold.filing_reconciliation
WHERE reconciliation_id = $filing

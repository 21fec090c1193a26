-- title: Records of the office
-- draw: table
-- wide
-- with: filing
-- empty: The office has filed nothing for it.
WITH named AS (
    SELECT report_id, amended_report_id FROM gold.filing_reconciliation WHERE reconciliation_id = $filing
)
SELECT c.report_id, c.report_type, c.player_id, c.transaction_date, c.transaction_amount, c.filing_date,
       c.due_date, c.status, c.amended_from, c.fincen_reference, c.irs_reference, c.compliance_officer_id
FROM silver.compliance AS c
WHERE c.report_id IN (SELECT report_id FROM named UNION ALL SELECT amended_report_id FROM named)
ORDER BY c.report_timestamp, c.report_id

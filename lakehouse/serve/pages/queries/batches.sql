WITH answers AS (
    SELECT batch_id, filing_id, answer, acknowledged_at
    FROM restricted.filing_acknowledgements
    QUALIFY row_number() OVER (
        PARTITION BY batch_id, filing_id ORDER BY acknowledged_at DESC
    ) = 1
)
SELECT batch_id, form, is_production, exported_at, exported_by, count(*) AS filings,
    sum(amount) AS amount, count(*) FILTER (answer LIKE 'Accepted%') AS accepted,
    count(*) FILTER (answer = 'Rejected') AS rejected,
    count(*) FILTER (answer IS NULL) AS unanswered, max(acknowledged_at) AS answered_at
FROM restricted.filing_exports LEFT JOIN answers USING (batch_id, filing_id)
WHERE form = 'CTR'
GROUP BY batch_id, form, is_production, exported_at, exported_by
ORDER BY exported_at DESC, batch_id DESC

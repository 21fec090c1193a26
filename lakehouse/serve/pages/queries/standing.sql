WITH answers AS (
    SELECT batch_id, filing_id, answer, bsa_id
    FROM restricted.filing_acknowledgements
    QUALIFY row_number() OVER (
        PARTITION BY batch_id, filing_id ORDER BY acknowledged_at DESC
    ) = 1
),
sent AS (
    SELECT filing_id, is_production, coalesce(answer, 'Exported') AS status, bsa_id,
        CASE WHEN is_production AND answer LIKE 'Accepted%'
            THEN (exported_at AT TIME ZONE $timezone)::DATE END AS filed_on
    FROM restricted.filing_exports LEFT JOIN answers USING (batch_id, filing_id)
    WHERE form = 'CTR'
    QUALIFY row_number() OVER (
        PARTITION BY filing_id
        ORDER BY is_production DESC, coalesce(answer LIKE 'Accepted%', false) DESC,
            exported_at DESC, batch_id DESC
    ) = 1
)
SELECT filing_id, player_id, gaming_day, coalesce(cash_in, 0) + coalesce(cash_out, 0) AS amount,
    due, is_production, coalesce(status, 'Not exported') AS status, filed_on, bsa_id
FROM gold.ctr_filings LEFT JOIN sent USING (filing_id)
WHERE gaming_day BETWEEN $first AND $last
ORDER BY due, filing_id

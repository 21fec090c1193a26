-- title: Markers drawn at the cage and not yet paid in full, oldest first
-- for: finance controller
SELECT marker_number,
       any_value(player_id) AS player_id,
       min(gaming_day) FILTER (transaction_type = 'MARKER_ISSUE') AS drawn_on,
       date_diff('day', drawn_on, (SELECT max(gaming_day) FROM silver.financial_txn)) AS days_open,
       coalesce(sum(amount) FILTER (transaction_type = 'MARKER_ISSUE'), 0) AS drawn,
       coalesce(sum(amount) FILTER (transaction_type = 'MARKER_PAYMENT'), 0) AS paid,
       drawn - paid AS outstanding
FROM silver.financial_txn
WHERE transaction_type IN ('MARKER_ISSUE', 'MARKER_PAYMENT')
GROUP BY marker_number
HAVING outstanding > 0
ORDER BY drawn_on, marker_number

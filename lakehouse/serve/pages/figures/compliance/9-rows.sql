-- title: Rows that it rests on
-- draw: table
-- wide
-- with: filing
-- empty: No row stands behind it.
-- note: Of the cage, and of machines where carded bills count.
WITH named AS (
    SELECT unnest(transaction_ids) AS id, gaming_day AS day, subject_day
    FROM gold.filing_reconciliation WHERE reconciliation_id = $filing
)
SELECT transaction_timestamp AS happened_at, transaction_type AS what, amount, currency, payment_method,
       player_id, on_behalf_of_player_id, cage_location AS place, cashier_id, transaction_id
FROM silver.financial_txn t JOIN named ON id = transaction_id AND abs(t.gaming_day - day) <= 1
QUALIFY row_number() OVER (PARTITION BY transaction_id ORDER BY abs(t.gaming_day - day), t.gaming_day) = 1
UNION ALL
SELECT event_timestamp, event_type, amount, 'USD', 'Cash', player_id, NULL, machine_id, NULL, event_id
FROM silver.slot_telemetry
WHERE (event_id, gaming_day) IN (SELECT id, subject_day FROM named)
ORDER BY happened_at, transaction_id

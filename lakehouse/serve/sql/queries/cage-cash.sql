-- title: Currency in and out of each cage window, by gaming day
-- for: finance controller
-- param days = 7: gaming days back from the newest
WITH currency AS (
    SELECT gaming_day, cage_location, amount,
           transaction_type IN (
               'CASH_IN', 'CHIP_PURCHASE', 'MONEY_PLAY', 'FRONT_MONEY_DEPOSIT',
               'SAFEKEEPING_DEPOSIT', 'MARKER_PAYMENT', 'INSTRUMENT_SALE', 'CHECK_PURCHASE',
               'WIRE_TRANSFER_OUT', 'CURRENCY_EXCHANGE')
             AND is_new_currency IS DISTINCT FROM false AS is_in,
           transaction_type IN (
               'CASH_OUT', 'CHIP_REDEMPTION', 'TICKET_REDEMPTION', 'CANCELLED_CREDIT_HANDPAY',
               'JACKPOT_PAYOUT', 'FRONT_MONEY_WITHDRAWAL', 'SAFEKEEPING_WITHDRAWAL',
               'MARKER_ISSUE', 'CHECK_CASHING', 'WIRE_TRANSFER_IN', 'CURRENCY_EXCHANGE') AS is_out
    FROM silver.financial_txn
    WHERE payment_method = 'Cash'
      AND gaming_day > (SELECT max(gaming_day) FROM silver.financial_txn) - $days::INTEGER
)
SELECT gaming_day, cage_location, count(*) AS transactions,
       coalesce(sum(amount) FILTER (is_in), 0) AS cash_in,
       coalesce(sum(amount) FILTER (is_out), 0) AS cash_out,
       cash_in - cash_out AS net
FROM currency
GROUP BY gaming_day, cage_location
ORDER BY gaming_day, cage_location

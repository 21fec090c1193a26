-- title: The shop on the last day
-- draw: tiles
-- wide
SELECT revenue, refunded, orders, average_order_value, customers, conversion_rate, fraud_rate,
       top_category, top_product
FROM gold.kpi
WHERE gaming_day = $last::DATE

-- title: Items sold over the days
-- draw: table
SELECT item_id, any_value(item_type) AS item_type, sum(purchases)::BIGINT AS purchases,
       sum(revenue) AS revenue, sum(suspicious_purchases)::BIGINT AS suspicious_purchases
FROM gold.item_sales
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY item_id
ORDER BY revenue DESC

-- title: Products by revenue
-- draw: table
SELECT product_category, product_name, sum(total_sales)::BIGINT AS sold, sum(total_revenue) AS revenue
FROM gold.product_performance
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY product_category, product_name
ORDER BY revenue DESC

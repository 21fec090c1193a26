-- title: From view to order, by category
-- draw: table
SELECT product_category, sum(sessions_viewed)::BIGINT AS viewed, sum(sessions_carted)::BIGINT AS carted,
       sum(sessions_checked_out)::BIGINT AS checked_out, sum(sessions_bought)::BIGINT AS bought,
       sum(sessions_bought)::DOUBLE / nullif(sum(sessions_viewed), 0)::DOUBLE AS conversion
FROM gold.funnel
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY product_category
ORDER BY viewed DESC

WITH starts AS (
    SELECT DISTINCT window_start
    FROM gold.live_windows
    WHERE kind IN ('sales')
    ORDER BY window_start DESC
    LIMIT 2 * $windows::INTEGER
),
parts AS (
    SELECT *
    FROM gold.live_windows
    WHERE kind IN ('sales') AND window_start IN (SELECT window_start FROM starts)
    QUALIFY row_number() OVER (
        PARTITION BY kind, window_start, gaming_day, topic, partition, dimension, value, name
        ORDER BY version DESC
    ) = 1
)
SELECT name AS product_name, sum(transactions) AS transactions, sum(amount) AS sales
FROM parts
WHERE dimension = 'product'
    AND second(window_start) = 0  -- windows slide by half a minute, and each sale is in two
    AND (events <> 0 OR transactions <> 0 OR amount <> 0 OR users <> 0 OR orders <> 0)
GROUP BY value, name
ORDER BY sales DESC, value, name
LIMIT $products::INTEGER

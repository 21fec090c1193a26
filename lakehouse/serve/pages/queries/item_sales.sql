WITH starts AS (
    SELECT DISTINCT window_start
    FROM gold.live_windows
    WHERE kind IN ('items')
    ORDER BY window_start DESC
    LIMIT $windows::INTEGER
),
parts AS (
    SELECT *
    FROM gold.live_windows
    WHERE kind IN ('items') AND window_start IN (SELECT window_start FROM starts)
    QUALIFY row_number() OVER (
        PARTITION BY kind, window_start, gaming_day, topic, partition, dimension, value, name
        ORDER BY version DESC
    ) = 1
)
SELECT window_start, value AS item_id, sum(transactions) AS purchase_count,
    sum(amount) AS total_revenue, sum(users) AS buyers
FROM parts
WHERE dimension = 'item'
    AND (events <> 0 OR transactions <> 0 OR amount <> 0 OR users <> 0 OR orders <> 0)
GROUP BY window_start, gaming_day, value
ORDER BY window_start DESC, item_id

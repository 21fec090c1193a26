WITH starts AS (
    SELECT DISTINCT window_start
    FROM gold.live_windows
    WHERE kind IN ('sales', 'visits')
    ORDER BY window_start DESC
    LIMIT $windows::INTEGER
),
parts AS (
    SELECT *
    FROM gold.live_windows
    WHERE kind IN ('sales', 'visits') AND window_start IN (SELECT window_start FROM starts)
    QUALIFY row_number() OVER (
        PARTITION BY kind, window_start, gaming_day, topic, partition, dimension, value, name
        ORDER BY version DESC
    ) = 1
)
SELECT window_start,
    coalesce(sum(amount) FILTER (kind = 'sales' AND transactions > 0), 0) AS sales
FROM parts
WHERE dimension = 'all'
    AND (events <> 0 OR transactions <> 0 OR amount <> 0 OR users <> 0 OR orders <> 0)
GROUP BY window_start, gaming_day
ORDER BY window_start, gaming_day

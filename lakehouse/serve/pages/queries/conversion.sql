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
),
counted AS (
    SELECT window_start, gaming_day,
        coalesce(sum(users) FILTER (dimension = 'action' AND value = 'view_product'), 0) AS viewed,
        coalesce(sum(users) FILTER (dimension = 'action' AND value = 'add_to_cart'), 0) AS carted,
        coalesce(sum(users) FILTER (dimension = 'action' AND value = 'checkout_start'), 0)
            AS checked_out,
        coalesce(sum(users) FILTER (kind = 'sales' AND dimension = 'all'), 0) AS paid
    FROM parts
    WHERE events <> 0 OR transactions <> 0 OR amount <> 0 OR users <> 0 OR orders <> 0
    GROUP BY window_start, gaming_day
)
SELECT window_start, viewed, carted, checked_out, paid,
    CASE WHEN viewed > 0 THEN round(paid / viewed, 6) END AS conversion_rate
FROM counted
ORDER BY window_start DESC, gaming_day DESC

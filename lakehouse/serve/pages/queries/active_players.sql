WITH starts AS (
    SELECT DISTINCT window_start
    FROM gold.live_windows
    WHERE kind IN ('play')
    ORDER BY window_start DESC
    LIMIT $windows::INTEGER
),
parts AS (
    SELECT *
    FROM gold.live_windows
    WHERE kind IN ('play') AND window_start IN (SELECT window_start FROM starts)
    QUALIFY row_number() OVER (
        PARTITION BY kind, window_start, gaming_day, topic, partition, dimension, value, name
        ORDER BY version DESC
    ) = 1
),
silent AS (
    SELECT topic, partition,
        max(max(written_at)) OVER (PARTITION BY topic) - max(written_at) >= INTERVAL 60 SECOND
            AS is_idle
    FROM gold.live_windows
    WHERE kind = 'progress'
    GROUP BY topic, partition
),
settled AS (
    SELECT window_start, gaming_day, bool_and(is_final OR is_idle) AS is_final
    FROM parts LEFT JOIN silent USING (topic, partition)
    WHERE dimension = 'all'
        AND (events <> 0 OR transactions <> 0 OR amount <> 0 OR users <> 0 OR orders <> 0)
    GROUP BY window_start, gaming_day
)
SELECT window_start, split_part(value, '/', 1) AS level_id,
    substr(value, strpos(value, '/') + 1) AS map_id,
    sum(users) AS active_players, sum(events) AS actions, bool_and(settled.is_final) AS is_final
FROM parts LEFT JOIN settled USING (window_start, gaming_day)
WHERE dimension = 'place'
    AND (events <> 0 OR transactions <> 0 OR amount <> 0 OR users <> 0 OR orders <> 0)
GROUP BY window_start, gaming_day, value
ORDER BY window_start DESC, level_id, map_id

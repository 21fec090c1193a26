WITH newest AS (
    SELECT *
    FROM gold.server_health
    WHERE period = 'five_minutes'
        AND gaming_day = (SELECT max(gaming_day) FROM gold.server_health)
)
SELECT period_start, server_id, region, cpu_load, memory_usage, latency_p95, disconnections,
    most_players, capacity
FROM newest
WHERE period_start IN (
    SELECT DISTINCT period_start FROM newest ORDER BY period_start DESC LIMIT $periods::INTEGER
)
ORDER BY period_start DESC, server_id

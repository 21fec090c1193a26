-- title: Servers on the last day
-- draw: table
-- wide
SELECT server_id, region, cpu_load, highest_cpu_load, memory_usage, latency_p50, latency_p95,
       latency_p99, disconnections, most_players, capacity
FROM gold.server_health
WHERE gaming_day = $last::DATE AND period = 'day'
ORDER BY disconnections DESC, latency_p95 DESC

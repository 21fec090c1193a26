-- title: Latency of the servers by day, in milliseconds
-- draw: lines
-- x: gaming_day
-- y: p50, p95, p99
SELECT gaming_day, median(latency_p50) AS p50, max(latency_p95) AS p95, max(latency_p99) AS p99
FROM gold.server_health
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE AND period = 'day'
GROUP BY gaming_day
ORDER BY gaming_day

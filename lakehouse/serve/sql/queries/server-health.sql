-- title: Load and latency of each server by five minutes, the newest first
-- for: operations
-- param periods = 12: periods of five minutes back from the newest
SELECT server_id,
       cpu_load,
       latency,
       strftime(period_start AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') AS timestamp
FROM gold.server_health
WHERE period = 'five_minutes'
  AND period_start > (SELECT max(period_start) FROM gold.server_health
                      WHERE period = 'five_minutes') - 5 * $periods::INTEGER * INTERVAL 1 MINUTE
ORDER BY period_start DESC, server_id

-- title: Alerts of the floor by day
-- draw: bars
-- x: gaming_day
-- y: critical, warning, info
SELECT gaming_day,
       count(*) FILTER (WHERE severity = 'CRITICAL') AS critical,
       count(*) FILTER (WHERE severity = 'WARNING') AS warning,
       count(*) FILTER (WHERE severity = 'INFO') AS info
FROM gold.anomalies
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE AND family <> 'protection'
GROUP BY gaming_day
ORDER BY gaming_day

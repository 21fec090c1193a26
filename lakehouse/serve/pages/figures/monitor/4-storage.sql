-- title: How full the lake is, in percent
-- draw: lines
-- x: hour
-- y: share
-- note: Of the last thirty days on which somebody looked.
-- empty: Nothing is noted yet. `lakehouse monitor --watch` notes what it sees, and so does the sensor `monitor` of Dagster.
SELECT date_trunc('hour', looked_at) AS hour, max(value) AS share
FROM ops.signal_states
WHERE signal = 'storage' AND value IS NOT NULL
      AND looked_at > (SELECT max(looked_at) FROM ops.signal_states) - INTERVAL 30 DAY
GROUP BY ALL
ORDER BY hour

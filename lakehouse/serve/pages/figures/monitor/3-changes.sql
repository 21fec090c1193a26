-- title: Newest changes
-- draw: table
-- wide
-- empty: Nothing is noted yet. `lakehouse monitor --watch` notes what it sees, and so does the sensor `monitor` of Dagster.
SELECT since, level, signal, subject, any_value(said ORDER BY number) AS said,
       arg_max(told, number) AS told_by
FROM ops.signal_states
GROUP BY since, level, signal, subject
ORDER BY since DESC, signal, subject
LIMIT 500

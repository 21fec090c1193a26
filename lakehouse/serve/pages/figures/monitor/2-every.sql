-- title: Every signal
-- draw: table
-- wide
-- note: Values are those of the last change, or of the last hour where a signal is noted hourly.
-- empty: Nothing is noted yet. `lakehouse monitor --watch` notes what it sees, and so does the sensor `monitor` of Dagster.
SELECT signal, subject, level, since, value, unit, said, looked_at
FROM (SELECT *, row_number() OVER (PARTITION BY signal, subject ORDER BY number DESC) AS back
      FROM ops.signal_states)
WHERE back = 1
ORDER BY signal, subject

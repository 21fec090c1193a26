-- title: What needs somebody
-- draw: table
-- wide
-- note: As the monitor noted it last, the gravest first. `lakehouse monitor` looks now.
-- empty: Nothing needs anybody, or nothing is noted yet: `lakehouse monitor --watch` notes what it sees, and so does the sensor `monitor` of Dagster.
SELECT level, signal, subject, since, said, to_do
FROM (SELECT *, row_number() OVER (PARTITION BY signal, subject ORDER BY number DESC) AS back
      FROM ops.signal_states)
WHERE back = 1 AND level <> 'INFO'
ORDER BY level, since DESC, signal, subject

-- title: Rows kept out of silver, by rule
-- draw: table
-- wide
-- note: `lakehouse quarantine show TABLE` shows them; `lakehouse quarantine retry` takes them in once they are mended.
SELECT table_name, rule, count(*) AS rows, min(gaming_day) AS first_day, max(gaming_day) AS last_day
FROM quarantine.rejects, unnest(_rules) AS broken(rule)
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY table_name, rule
ORDER BY rows DESC, table_name, rule

-- title: Rows kept out of silver, by rule
-- draw: table
-- wide
-- without: table
-- note: A table opens to its rows, and to another try at them.
SELECT 'silver.' || table_name AS "table", rule, count(*) AS rows, min(gaming_day) AS first_day,
       max(gaming_day) AS last_day,
       'data?table=silver.' || table_name || '&rule=' || rule || '#kept-out' AS opens
FROM quarantine.rejects, unnest(_rules) AS broken(rule)
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY table_name, rule
ORDER BY rows DESC, table_name, rule

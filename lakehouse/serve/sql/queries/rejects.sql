-- title: Rows in quarantine, by table and broken rule
-- for: data steward
-- param days = 30: gaming days back from the newest rejects
SELECT table_name, rule, count(*) AS rows, min(gaming_day) AS first_day, max(gaming_day) AS last_day
FROM quarantine.rejects, unnest(_rules) AS broken(rule)
WHERE gaming_day > (SELECT max(gaming_day) FROM quarantine.rejects) - $days::INTEGER
GROUP BY table_name, rule
ORDER BY rows DESC, table_name, rule

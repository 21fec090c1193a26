-- title: What did not pass, the newest first
-- draw: table
-- wide
-- without: table
SELECT gaming_day, layer || '.' || table_name AS "table", check_name, severity, status, failing_rows,
       checked_rows, said
FROM gold.check_results
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE AND status <> 'passed'
ORDER BY gaming_day DESC, "table", check_name

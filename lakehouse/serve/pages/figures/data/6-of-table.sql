-- title: Its checks, the newest first
-- draw: table
-- wide
-- with: table
SELECT gaming_day, check_name, family, severity, status, measure, bound, failing_rows, checked_rows, said,
       is_stale, judged_at
FROM gold.check_results
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE AND layer || '.' || table_name = $table
ORDER BY gaming_day DESC, status = 'passed', check_name

-- title: Last runs
-- draw: table
-- wide
-- without: table
SELECT run_id, min(judged_at) AS begun, max(judged_at) AS ended, min(gaming_day) AS first_day,
       max(gaming_day) AS last_day, count(DISTINCT layer || table_name) AS tables, count(*) AS checks,
       count(*) FILTER (WHERE status = 'failed') AS failed,
       count(*) FILTER (WHERE status = 'warned') AS warned,
       count(*) FILTER (WHERE status = 'could_not_run') AS could_not_run
FROM gold.check_results
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY run_id
ORDER BY ended DESC
LIMIT 50

-- title: How fresh each table is
-- draw: table
-- wide
-- without: table
-- note: By the checks, which judge every day that a table has. Behind: gaming days after the newest that are not there yet.
SELECT layer || '.' || table_name AS "table", max(gaming_day) AS newest_day,
       (SELECT max(gaming_day) FROM gold.check_results WHERE gaming_day <= $last::DATE) - max(gaming_day) AS days_behind,
       count(DISTINCT gaming_day) AS days, max(judged_at) AS judged_at,
       count(*) FILTER (WHERE is_stale) AS outdated_results
FROM gold.check_results
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY ALL
ORDER BY days_behind DESC, "table"

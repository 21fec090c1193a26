-- title: Checks that did not pass, by table and day
-- draw: heat
-- wide
-- without: table
-- x: gaming_day
-- y: table, not_passed
-- note: Tables all of whose checks passed on all of the days are not here.
-- empty: Every check of these days passed.
SELECT gaming_day, layer || '.' || table_name AS "table",
       count(*) FILTER (WHERE status <> 'passed') AS not_passed
FROM gold.check_results
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY gaming_day, layer, table_name
QUALIFY sum(not_passed) OVER (PARTITION BY layer, table_name) > 0
ORDER BY gaming_day, "table" DESC

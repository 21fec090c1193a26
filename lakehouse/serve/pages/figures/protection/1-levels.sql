-- title: Patrons by level of concern
-- draw: bars
-- x: level
-- y: patrons
-- note: Of the newest row of each patron up to the last day. No level is a diagnosis.
SELECT level, count(*) AS patrons
FROM (
    SELECT * FROM gold.player_protection
    WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
    QUALIFY row_number() OVER (PARTITION BY player_id ORDER BY gaming_day DESC) = 1
)
GROUP BY level
ORDER BY patrons DESC

-- title: Games: stakes, revenue and return
-- draw: table
SELECT game_name, sum(rounds)::BIGINT AS rounds, sum(stakes) AS stakes, sum(ggr) AS ggr,
       sum(wins)::DOUBLE / nullif(sum(stakes), 0)::DOUBLE AS returned_share
FROM gold.game_day
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY game_name
ORDER BY stakes DESC

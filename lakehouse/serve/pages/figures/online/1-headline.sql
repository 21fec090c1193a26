-- title: The online casino on the last day
-- draw: tiles
-- wide
SELECT sum(players)::BIGINT AS players_by_game, sum(rounds)::BIGINT AS rounds, sum(stakes) AS stakes,
       sum(ggr) AS ggr, sum(bonus) AS bonus, sum(ngr) AS ngr,
       sum(ggr)::DOUBLE / nullif(sum(stakes), 0)::DOUBLE AS hold
FROM gold.game_day
WHERE gaming_day = $last::DATE

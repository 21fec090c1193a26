-- title: What is played most over time, by game, device or country
-- for: online casino
-- param by = game: game, device or country
-- param days = 30: gaming days back from the newest
-- param every = week: day, week or month
WITH sums AS (
  SELECT date_trunc(lower($every), gaming_day)::DATE AS since,
         CASE lower($by) WHEN 'device' THEN device WHEN 'country' THEN country
           ELSE game_name END AS name,
         sum(rounds)::BIGINT AS rounds, sum(stakes) AS stakes, sum(ggr) AS ggr,
         sum(theo) / nullif(sum(stakes) FILTER (theo IS NOT NULL), 0) AS expected_hold
  FROM gold.game_day
  WHERE gaming_day > (SELECT max(gaming_day) FROM gold.game_day) - $days::INTEGER
  GROUP BY ALL
)
SELECT since, name, rounds, round(rounds / sum(rounds) OVER (PARTITION BY since), 4) AS share,
       stakes, ggr, round(ggr / nullif(stakes, 0), 4) AS hold,
       round(expected_hold, 4) AS expected_hold
FROM sums
ORDER BY since, rounds DESC, name

-- title: Accounts of a country that played a game on a night, 18:00 to 06:00 by their clock
-- for: online casino
-- param country = EE: ISO 3166 country
-- param game = poker: game
-- param night = newest: day on which the night begins, such as 2025-01-31
WITH clicks AS (
  SELECT user_id, is_bonus, bet_amount, win_amount, event_type,
         timezone(coalesce(time_zone, 'UTC'), timestamp) - INTERVAL 6 HOUR AS clock
  FROM silver.clickstream
  WHERE country = upper($country) AND game_name = lower($game)
),
nights AS (SELECT *, clock::DATE AS night FROM clicks WHERE hour(clock) >= 12),
asked AS (
  SELECT CASE WHEN $night = 'newest' THEN max(night) ELSE try_cast($night AS DATE) END AS night
  FROM nights
)
SELECT night, count(DISTINCT user_id) AS players,
       count(*) FILTER (event_type = 'bet_placed') AS rounds,
       sum(bet_amount) AS stakes, sum(win_amount) AS wins, sum(bet_amount - win_amount) AS ggr
FROM nights JOIN asked USING (night)
GROUP BY night

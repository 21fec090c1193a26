-- title: Accounts that stake large amounts unusually often
-- for: online casino
-- param stake = 200: dollars from which a stake is large
-- param days = 7: gaming days back from the newest
-- param times = 3: how many times as often as all accounts together
-- param fewest = 5: large stakes at least
WITH stakes AS (
  SELECT user_id, bet_amount, bet_amount >= $stake::DECIMAL(18, 2) AS is_large
  FROM silver.clickstream
  WHERE event_type = 'bet_placed'
    AND gaming_day > (SELECT max(gaming_day) FROM silver.clickstream) - $days::INTEGER
),
usual AS (SELECT avg(is_large::INTEGER) AS share FROM stakes)
SELECT user_id, count(*) AS rounds, count(*) FILTER (is_large) AS large_stakes,
       round(avg(is_large::INTEGER), 4) AS share,
       round(avg(is_large::INTEGER) / any_value(usual.share), 1) AS times_the_usual,
       max(bet_amount) AS highest_stake, sum(bet_amount) AS staked
FROM stakes, usual
GROUP BY user_id
HAVING count(*) FILTER (is_large) >= $fewest::INTEGER
   AND avg(is_large::INTEGER) >= $times::DOUBLE * any_value(usual.share)
ORDER BY times_the_usual DESC, user_id

-- title: Players
-- draw: table
-- wide
-- without: player
-- param find = : how a patron's number, card number or online account begins
-- param tier = : loyalty tier
-- param place = : floor, online or both
-- note: Worth of a year: the greater of theo and two fifths of actual loss. Accounts are tokens.
WITH value AS (
    SELECT player_id, loyalty_tier, last_visit, visits_365, adt, worth_365, is_excluded
    FROM gold.player_value
    WHERE gaming_day = (SELECT max(gaming_day) FROM gold.player_value WHERE gaming_day <= $last::DATE)
), cards AS (
    SELECT player_id, loyalty_number FROM silver.player_profile WHERE is_current
), accounts AS (
    SELECT account_id AS user_id, player_id, segment, self_excluded
    FROM silver.online_accounts WHERE is_current
)
SELECT coalesce(v.player_id, a.player_id) AS player_id, c.loyalty_number, v.loyalty_tier, v.last_visit,
       v.visits_365, v.adt, v.worth_365, a.user_id, a.segment AS online_segment,
       coalesce(v.is_excluded, false) OR coalesce(a.self_excluded, false) AS is_excluded
FROM value v
FULL JOIN accounts a ON a.player_id = v.player_id
LEFT JOIN cards c ON c.player_id = v.player_id
WHERE ($find = '' OR starts_with(upper(coalesce(v.player_id, a.player_id, '')), upper($find))
       OR starts_with(upper(coalesce(c.loyalty_number, '')), upper($find))
       OR starts_with(coalesce(a.user_id, ''), $find))
  AND ($tier = '' OR v.loyalty_tier = $tier)
  AND ($place = '' OR ($place <> 'online' AND v.player_id IS NOT NULL AND ($place = 'floor' OR a.user_id IS NOT NULL))
       OR ($place = 'online' AND a.user_id IS NOT NULL))
ORDER BY v.worth_365 DESC NULLS LAST, a.user_id

-- title: Rounds by device and day
-- draw: heat
-- x: gaming_day
-- y: device, rounds
SELECT gaming_day, device, sum(rounds)::BIGINT AS rounds
FROM gold.game_day
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY ALL
ORDER BY gaming_day, device

-- title: Patrons with a card, and new ones
-- draw: bars
-- x: gaming_day
-- y: headcount, new_players
SELECT gaming_day, headcount, new_players
FROM gold.property_day
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
ORDER BY gaming_day

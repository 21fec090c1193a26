-- title: The day against the same weekday
-- draw: tiles
-- wide
-- note: Usually: the median of the same weekday of the eight weeks before.
WITH usual AS (
    SELECT median(win) AS win, median(theo) AS theo, median("drop") AS "drop",
           median(slot_hold) AS slot_hold, median(table_hold) AS table_hold,
           median(headcount) AS headcount, median(slot_coin_in) AS slot_coin_in
    FROM gold.property_day
    WHERE gaming_day BETWEEN $day::DATE - 56 AND $day::DATE - 1
      AND isodow(gaming_day) = isodow($day::DATE)
), occupied AS (
    SELECT gaming_day, avg(occupancy) AS occupancy FROM gold.slot_performance
    WHERE gaming_day BETWEEN $day::DATE - 56 AND $day::DATE AND isodow(gaming_day) = isodow($day::DATE)
    GROUP BY gaming_day
)
SELECT d.win, u.win::DECIMAL(18, 2) AS win_usual,
       d.theo, u.theo::DECIMAL(18, 2) AS theo_usual,
       d."drop", u."drop"::DECIMAL(18, 2) AS drop_usual,
       d.slot_coin_in, u.slot_coin_in::DECIMAL(18, 2) AS slot_coin_in_usual,
       d.slot_hold, u.slot_hold AS slot_hold_usual,
       d.table_hold, u.table_hold AS table_hold_usual,
       (SELECT occupancy FROM occupied WHERE gaming_day = $day::DATE) AS occupancy,
       (SELECT median(occupancy) FROM occupied WHERE gaming_day < $day::DATE) AS occupancy_usual,
       d.headcount, round(u.headcount)::BIGINT AS headcount_usual
FROM gold.property_day d, usual u
WHERE d.gaming_day = $day::DATE

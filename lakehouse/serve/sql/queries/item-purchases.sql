-- title: What was sold in the game, and who bought it suspiciously often
-- for: game economist
-- param days = 1: gaming days back from the newest
WITH sold AS (
    SELECT * FROM gold.item_sales
    WHERE gaming_day > (SELECT max(gaming_day) FROM gold.item_sales) - $days::INTEGER
), flagged AS (
    SELECT item_id, flag.player_id, flag.ip_address,
           sum(flag.suspicious_purchase_count)::BIGINT AS suspicious_purchase_count
    FROM (SELECT item_id, unnest(fraud_flags) AS flag FROM sold)
    GROUP BY ALL
), flags AS (
    SELECT item_id,
           list({'player_id': player_id, 'ip_address': ip_address,
                 'suspicious_purchase_count': suspicious_purchase_count}
                ORDER BY suspicious_purchase_count DESC, player_id, ip_address) AS fraud_flags
    FROM flagged
    GROUP BY item_id
)
SELECT item_id,
       sum(purchases)::BIGINT AS purchase_count,
       sum(revenue)::DOUBLE AS total_revenue,
       coalesce(any_value(flags.fraud_flags), []) AS fraud_flags
FROM sold LEFT JOIN flags USING (item_id)
GROUP BY item_id
ORDER BY purchase_count DESC, item_id

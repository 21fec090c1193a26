WITH stands AS (
    SELECT *
    FROM gold.live_sessions
    WHERE topic = 'clickstream'
        AND gaming_day IN (
            SELECT DISTINCT gaming_day FROM gold.live_sessions ORDER BY gaming_day DESC LIMIT 2
        )
    QUALIFY row_number() OVER (
        PARTITION BY partition, user_id, gaming_day, session_id ORDER BY version DESC
    ) = 1
),
opened AS (
    SELECT * FROM stands WHERE NOT is_final AND events > 0
)
SELECT user_id, started, last_seen,
    (epoch_us(last_seen) - epoch_us(started)) // 60_000_000 AS minutes, rounds, stakes, wins
FROM opened
WHERE last_seen + to_minutes($silence::INTEGER) > (SELECT max(last_seen) FROM opened)
ORDER BY last_seen DESC, user_id DESC, session_id DESC
LIMIT $sessions::INTEGER

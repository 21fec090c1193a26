-- title: Whom to talk to, the newest word of each
-- draw: table
-- wide
WITH newest AS (
    SELECT player_id, max(gaming_day) AS gaming_day FROM gold.player_protection
    WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
    GROUP BY player_id
)
SELECT player_id, gaming_day, level, score, reasons, named_rule, is_excluded,
       is_over_financial_check, is_marketing_suppressed
FROM gold.player_protection JOIN newest USING (player_id, gaming_day)
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE AND len(reasons) > 0
ORDER BY score DESC

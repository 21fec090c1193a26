-- title: Whom to talk to, the newest word of each
-- draw: table
-- wide
SELECT player_id, gaming_day, level, score, reasons, named_rule, is_excluded,
       is_over_financial_check, is_marketing_suppressed
FROM (
    SELECT * FROM gold.player_protection
    WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
    QUALIFY row_number() OVER (PARTITION BY player_id ORDER BY gaming_day DESC) = 1
)
WHERE len(reasons) > 0
ORDER BY score DESC

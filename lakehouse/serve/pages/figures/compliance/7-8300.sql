-- title: 8300 of the days
-- draw: table
-- empty: No report on Form 8300 is asked for on these days.
-- without: filing
SELECT gaming_day, player_id, amount, due, customer_notice_due, citation,
       'compliance?filing=' || notice_id AS opens
FROM gold.form_8300_notices
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
ORDER BY gaming_day DESC, amount DESC

-- title: 8300 of the days
-- draw: table
SELECT gaming_day, player_id, amount, due, customer_notice_due, citation
FROM gold.form_8300_notices
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
ORDER BY gaming_day DESC, amount DESC

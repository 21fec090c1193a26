-- title: Payments that look like fraud by account and day, the gravest first
-- draw: table
-- wide
-- param state = : open, acknowledged or closed; without it all that is not closed
-- note: The reason, the score and the alert that opens are those of the gravest payment. What is decided there may be decided of all payments on the line.
SELECT arg_max(a.alert_level, a.fraud_score) AS severity, state, count(*) AS alerts, max(a.alert_timestamp) AS newest,
       a.user_id, sum(a.amount) AS amount, arg_max(a.fraud_reason, a.fraud_score) AS fraud_reason,
       max(a.fraud_score) AS fraud_score, max(a.learned_score) AS learned_score,
       max(a.acted_by) AS acted_by, arg_max(a.alert_id, (a.fraud_score, a.alert_id)) AS alert_id
FROM (
    SELECT f.*, last.acted_by, CASE last.action WHEN 'ack' THEN 'acknowledged' WHEN 'close' THEN 'closed'
           ELSE 'open' END AS state
    FROM gold.fraud_alerts f
    LEFT JOIN (SELECT alert_id, action, acted_by FROM ops.alert_actions
               QUALIFY row_number() OVER (PARTITION BY alert_id ORDER BY acted_at DESC, action_id DESC) = 1) last
         ON last.alert_id = f.alert_id
    WHERE f.gaming_day BETWEEN $first::DATE AND $last::DATE AND f.profile = 'tuned'
) a
WHERE CASE $state WHEN '' THEN state <> 'closed' ELSE state = $state END
GROUP BY a.user_id, a.gaming_day, state
ORDER BY fraud_score DESC, newest DESC, alert_id

-- title: What was done with it
-- empty: Nobody has acted on it yet.
-- draw: table
-- wide
-- with: alert
SELECT acted_at, acted_by, action, outcome, reason
FROM ops.alert_actions
WHERE alert_id = $alert
ORDER BY acted_at DESC, action_id DESC

-- title: Online: limits and standing
-- draw: facts
-- with: player
SELECT account_id AS online_account, player_id, segment, account_status, self_excluded, registered_on,
       daily_deposit_limit, daily_loss_limit, session_limit_minutes,
       marketing_opt_in AS may_be_marketed_to, country
FROM silver.online_accounts
WHERE is_current AND (account_id = $player OR player_id = $player)

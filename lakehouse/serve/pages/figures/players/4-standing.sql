-- title: On the floor
-- draw: facts
-- with: player
SELECT player_id, loyalty_number, loyalty_tier, vip_flag AS is_hosted, host_assigned AS host, enrollment_date,
       last_visit_date AS last_visit, preferred_game, account_status, self_excluded,
       marketing_opt_in AS may_be_marketed_to, communication_preference AS to_be_reached_by,
       identity_verified, points_balance AS points
FROM silver.player_profile
WHERE is_current
  AND player_id IN (SELECT $player UNION ALL
                    SELECT player_id FROM silver.online_accounts WHERE is_current AND account_id = $player)

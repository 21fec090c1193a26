-- title: What speaks for a conversation
-- draw: table
-- with: player
-- note: No level is a diagnosis.
SELECT gaming_day, level, score, reasons, is_excluded, is_marketing_suppressed
FROM gold.player_protection
WHERE player_id IN (SELECT $player UNION ALL
                    SELECT player_id FROM silver.online_accounts WHERE is_current AND account_id = $player)
  AND gaming_day BETWEEN $first::DATE AND $last::DATE AND len(reasons) > 0
UNION ALL
SELECT gaming_day, 'online', NULL, reasons, NULL, NULL
FROM gold.responsible_gaming
WHERE user_id IN (SELECT account_id FROM silver.online_accounts
                  WHERE is_current AND (account_id = $player OR player_id = $player))
  AND gaming_day BETWEEN $first::DATE AND $last::DATE AND len(reasons) > 0
ORDER BY gaming_day DESC

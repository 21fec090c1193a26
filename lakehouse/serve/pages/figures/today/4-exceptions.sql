-- title: To act on
-- draw: table
-- wide
-- empty: Nothing to act on: no alert, no filing overdue, no check failed, no meter that disagrees.
WITH closed AS (
    SELECT alert_id FROM ops.alert_actions
    GROUP BY alert_id HAVING arg_max(action, (acted_at, action_id)) = 'close'
), open_alerts AS (
    SELECT severity, family FROM gold.anomalies
    WHERE gaming_day = $day::DATE AND rule <> 'cash_is_reviewed' AND alert_id NOT IN (FROM closed)
), told AS (
    SELECT CASE severity WHEN 'CRITICAL' THEN 0 WHEN 'WARNING' THEN 2 ELSE 7 END AS nth,
           severity || ' alerts of ' || CASE WHEN family = 'protection' THEN 'player protection' ELSE 'the floor' END AS exception,
           count(*) AS count, CASE WHEN family = 'protection' THEN 'protection' ELSE 'fraud' END AS opens
    FROM open_alerts GROUP BY ALL
    UNION ALL
    SELECT CASE alert_level WHEN 'CRITICAL' THEN 0 ELSE 2 END, alert_level || ' alerts of payments in the shop, by account', count(DISTINCT user_id), 'fraud'
    FROM gold.fraud_alerts
    WHERE gaming_day = $day::DATE AND profile = 'tuned' AND alert_level IN ('CRITICAL', 'HIGH')
      AND alert_id NOT IN (FROM closed)
    GROUP BY alert_level
    UNION ALL
    SELECT 1, 'Filings overdue', count(*), 'compliance'
    FROM gold.filing_calendar WHERE gaming_day = $day::DATE AND is_overdue
    UNION ALL
    SELECT 4, 'Checks of the data that failed', count(*), 'data'
    FROM gold.check_results WHERE gaming_day = $day::DATE AND status IN ('failed', 'could_not_run')
    UNION ALL
    SELECT 5, 'Machines whose meters disagree with play', count(*), 'floor'
    FROM gold.slot_performance WHERE gaming_day = $day::DATE AND meter_variance <> 0
    UNION ALL
    SELECT 6, 'Machines with a hold outside its interval', count(*), 'floor'
    FROM gold.slot_performance WHERE gaming_day = $day::DATE AND is_hold_outside
)
SELECT exception, count, opens FROM told WHERE count > 0
ORDER BY nth, exception

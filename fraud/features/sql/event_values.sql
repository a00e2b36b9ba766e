-- What events showed: addresses, devices, means of payment, other ends.
-- Grain:      one row per event and kind.
-- Parameters: $first_date, $until_date bound the days read, for pruning.
-- Needs:      account_events.
-- Result:     kind, value, event_date.
SELECT account_id, event_date, kind, value
FROM (
    SELECT account_id, event_date, 'ip' AS kind, ip AS value FROM account_events
    UNION ALL
    SELECT account_id, event_date, 'device', device FROM account_events
    UNION ALL
    SELECT account_id, event_date, 'payment', payment_fingerprint FROM account_events
    UNION ALL
    SELECT account_id, event_date, 'number', counterpart FROM account_events
) AS shown
WHERE event_date >= $first_date AND event_date < $until_date

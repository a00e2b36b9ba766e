-- The account's events of the window.
-- Grain:      one row per account, midnight and event.
-- Parameters: $first_date, $until_date bound the days read, for pruning.
-- Result:     happened_at, kind, ip, ip_country, device, payment_fingerprint, amount, days_ago; is_home (the
--             address was given to the account's own country; null where either is unknown).
SELECT
    s.account_id, s.as_of_date, DATE_DIFF('day', e.event_date, s.as_of_date) AS days_ago,
    e.at AS happened_at, e.kind, e.ip, e.ip_country, e.device, e.payment_fingerprint, e.amount,
    e.ip_country = s.country AS is_home
FROM subjects AS s
JOIN account_events AS e
    ON e.account_id = s.account_id
    AND e.event_date >= s.as_of_date - 30 AND e.event_date < s.as_of_date
WHERE e.event_date >= $first_date AND e.event_date < $until_date

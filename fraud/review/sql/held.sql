-- Grain: one row per account and value that it had or used.
-- Parameters: $as_of, UTC instant; $since_date, $until_date, UTC days of events (until is excluded).
-- Columns: account_id, kind (device, payment, ip, number), value, status (as it stood).
WITH standing AS (
    SELECT account_id, devices, payment_fingerprint, signup_ip, phone, forward_to, status
    FROM accounts
    WHERE valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
),
seen AS (
    SELECT DISTINCT account_id, device, payment_fingerprint, ip
    FROM account_events
    WHERE event_date >= $since_date AND event_date < $until_date AND "at" < $as_of
),
held AS (
    SELECT account_id, 'device' AS kind, unnest(devices) AS value FROM standing
    UNION
    SELECT account_id, 'payment', unnest(payment_fingerprint) FROM standing
    UNION
    SELECT account_id, 'ip', signup_ip FROM standing
    UNION
    SELECT account_id, 'number', phone FROM standing
    UNION
    SELECT account_id, 'number', unnest(forward_to) FROM standing
    UNION
    SELECT account_id, 'device', device FROM seen
    UNION
    SELECT account_id, 'payment', payment_fingerprint FROM seen
    UNION
    SELECT account_id, 'ip', ip FROM seen
)
SELECT held.account_id, held.kind, held.value, standing.status
FROM held
LEFT JOIN standing ON standing.account_id = held.account_id
WHERE held.value IS NOT NULL
ORDER BY held.account_id

-- Grain: one row per value that the account shares with another one, and that other.
-- Parameters: $account_id; $as_of, UTC instant; $since_date, $until_date, UTC days of events
--   (until is excluded).
-- Columns: kind (device, payment, ip, number), value, other_id, other_status; values that nobody
--   shares come last, with nulls.
WITH standing AS (
    SELECT account_id, devices, payment_fingerprint, signup_ip, phone, forward_to, status
    FROM accounts
    WHERE valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
),
seen AS (
    SELECT account_id, device, payment_fingerprint, ip
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
SELECT own.kind, own.value, other.account_id AS other_id, standing.status AS other_status
FROM held AS own
LEFT JOIN held AS other
    ON other.kind = own.kind AND other.value = own.value AND other.account_id <> own.account_id
LEFT JOIN standing ON standing.account_id = other.account_id
WHERE own.account_id = $account_id AND own.value IS NOT NULL
ORDER BY other.account_id IS NULL, standing.status <> 'blocked', own.kind, own.value, other.account_id
LIMIT 60

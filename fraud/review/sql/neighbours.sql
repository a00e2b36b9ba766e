-- Grain: one row per value that the account shares with another one, and that other.
-- Parameters: $account_id; $as_of, UTC instant.
-- Columns: kind (device, payment, ip, number), value, other_id, other_status.
WITH standing AS (
    SELECT account_id, devices, payment_fingerprint, signup_ip, phone, forward_to, status
    FROM accounts
    WHERE valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
),
held AS (
    SELECT account_id, status, 'device' AS kind, unnest(devices) AS value FROM standing
    UNION ALL
    SELECT account_id, status, 'payment', unnest(payment_fingerprint) FROM standing
    UNION ALL
    SELECT account_id, status, 'ip', signup_ip FROM standing
    UNION ALL
    SELECT account_id, status, 'number', phone FROM standing
    UNION ALL
    SELECT account_id, status, 'number', unnest(forward_to) FROM standing
)
SELECT DISTINCT own.kind, own.value, other.account_id AS other_id, other.status AS other_status
FROM held AS own
LEFT JOIN held AS other
    ON other.kind = own.kind AND other.value = own.value AND other.account_id <> own.account_id
WHERE own.account_id = $account_id AND own.value IS NOT NULL
ORDER BY other.account_id IS NULL, own.kind, own.value, other.account_id
LIMIT 60

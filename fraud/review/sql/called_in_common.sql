-- Grain: one row per number that the account and a blocked account both called.
-- Parameters: $account_id; $since_date, $until_date, UTC days (until is excluded); $as_of.
-- Columns: value (first 12 hex digits of the number's MD5), other_id, other_status.
WITH called AS (
    SELECT DISTINCT account_id, key
    FROM account_day_keys
    WHERE kind = 'callee' AND call_date >= $since_date AND call_date < $until_date
),
blocked AS (
    SELECT account_id, status
    FROM accounts
    WHERE status = 'blocked' AND account_id <> $account_id
        AND valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
)
SELECT own.key AS value, other.account_id AS other_id, blocked.status AS other_status
FROM called AS own
JOIN called AS other ON other.key = own.key
JOIN blocked ON blocked.account_id = other.account_id
WHERE own.account_id = $account_id
ORDER BY ALL
LIMIT 40

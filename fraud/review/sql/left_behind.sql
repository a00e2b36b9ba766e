-- Grain: one row per account, and number called or address called from, that a blocked account had
--   too; at most 40 an account. Values that many accounts have are in no trace.
-- Parameters: $accounts, list of account_id; $since_date, $until_date, UTC days (until is excluded);
--   $as_of, UTC instant.
-- Columns: account_id, kind (`called number`, `address`), value (first 12 hex digits of its MD5),
--   other_id, other_status.
WITH own AS (
    SELECT DISTINCT
        account_id, key, CASE kind WHEN 'callee' THEN 'number' ELSE 'ip' END AS trace_kind
    FROM account_day_keys
    SEMI JOIN (SELECT unnest($accounts::VARCHAR[]) AS account_id) AS asked USING (account_id)
    WHERE kind IN ('callee', 'address') AND call_date >= $since_date AND call_date < $until_date
),
blocked AS (
    SELECT account_id, status
    FROM accounts
    WHERE status = 'blocked' AND valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
),
shared AS (
    SELECT DISTINCT
        own.account_id,
        CASE own.trace_kind WHEN 'number' THEN 'called number' ELSE 'address' END AS kind,
        own.key AS value,
        t.account_id AS other_id,
        blocked.status AS other_status
    FROM own
    JOIN blocked_traces AS t
        ON t.kind = own.trace_kind AND t.key = own.key AND t.hop = 1
        AND t.account_id <> own.account_id AND t.trace_date <= CAST($as_of AS DATE)
    JOIN blocked ON blocked.account_id = t.account_id
)
SELECT account_id, kind, value, other_id, other_status
FROM shared
QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY kind, value, other_id) <= 40
ORDER BY ALL

-- Whom accounts called and who called them, as hashes.
-- Grain: one row per account, kind (`callee`, `caller`) and key.
-- Parameters: $accounts, list of account_id; $since_date, $until_date, UTC days (until is excluded).
-- Columns: account_id, kind, key (hash), call_count (calls).
SELECT account_id, kind, key, CAST(sum(call_count) AS BIGINT) AS call_count
FROM account_day_keys
SEMI JOIN (SELECT unnest($accounts::VARCHAR[]) AS account_id) AS asked USING (account_id)
WHERE kind IN ('callee', 'caller') AND call_date >= $since_date AND call_date < $until_date
GROUP BY account_id, kind, key
ORDER BY account_id, call_count DESC, kind, key

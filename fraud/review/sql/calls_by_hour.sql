-- Grain: one row per account, UTC day and hour with calls made.
-- Parameters: $accounts, list of account_id; $since_date, $until_date, UTC days (until is excluded).
-- Columns: account_id, day, hour (0..23), outbound_count (calls), cost_usd (USD)
--   of these.
SELECT
    account_id,
    call_date AS day,
    CAST(key AS BIGINT) AS hour,
    call_count AS outbound_count,
    cost_usd
FROM account_day_keys
SEMI JOIN (SELECT unnest($accounts::VARCHAR[]) AS account_id) AS asked USING (account_id)
WHERE kind = 'hour' AND call_date >= $since_date AND call_date < $until_date
ORDER BY ALL

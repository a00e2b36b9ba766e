-- Grain: one row per account and UTC day with calls.
-- Parameters: $accounts, list of account_id; $since_date, $until_date, UTC days (until is excluded).
-- Columns: account_id, day, outbound_count, inbound_count (calls), cost_usd (USD) of
--   calls made.
SELECT
    account_id, call_date AS day, outbound_count, inbound_count, cost_usd
FROM account_days
SEMI JOIN (SELECT unnest($accounts::VARCHAR[]) AS account_id) AS asked USING (account_id)
WHERE call_date >= $since_date AND call_date < $until_date
ORDER BY ALL

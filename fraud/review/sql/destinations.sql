-- Grain: one row per account and country called.
-- Parameters: $accounts, list of account_id; $since_date, $until_date, UTC days (until is excluded).
-- Columns: account_id, country (ISO 3166-1 alpha-2, or 001 for worldwide ranges), call_count
--   (calls), minutes (of answered calls), cost_usd (USD).
SELECT
    account_id,
    key AS country,
    CAST(sum(call_count) AS BIGINT) AS call_count,
    sum(duration_ms) / 60000.0 AS minutes,
    sum(cost_usd) AS cost_usd
FROM account_day_keys
SEMI JOIN (SELECT unnest($accounts::VARCHAR[]) AS account_id) AS asked USING (account_id)
WHERE kind = 'country' AND call_date >= $since_date AND call_date < $until_date
GROUP BY account_id, key
ORDER BY account_id, cost_usd DESC NULLS LAST, call_count DESC, key

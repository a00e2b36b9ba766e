-- Grain: one row per country called.
-- Parameters: $account_id; $since_date, $until_date, UTC days (until is excluded).
-- Columns: country (ISO 3166-1 alpha-2, or 001 for worldwide ranges), call_count (calls),
--   minutes (of answered calls), cost_usd (USD).
SELECT
    key AS country,
    CAST(sum(call_count) AS BIGINT) AS call_count,
    sum(duration_ms) / 60000.0 AS minutes,
    sum(cost_usd) AS cost_usd
FROM account_day_keys
WHERE account_id = $account_id AND kind = 'country'
    AND call_date >= $since_date AND call_date < $until_date
GROUP BY key
ORDER BY cost_usd DESC NULLS LAST, call_count DESC, key

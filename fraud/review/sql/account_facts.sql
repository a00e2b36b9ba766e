-- Grain: one row per account asked for that is known.
-- Parameters: $accounts, list of account_id; $as_of, UTC midnight; $since_date, UTC day.
-- Columns: account_id; plan, text or null; country, ISO 3166-1 alpha-2 or null;
--   cost_usd, USD, of calls made in [$since_date, $as_of); null without calls.
WITH asked AS (
    SELECT unnest($accounts::VARCHAR[]) AS account_id
),
details AS (
    SELECT account_id, plan, country
    FROM accounts
    SEMI JOIN asked USING (account_id)
    WHERE valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
    QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY valid_from DESC) = 1
),
spent AS (
    SELECT account_id, SUM(cost_usd) AS cost_usd
    FROM account_days
    SEMI JOIN asked USING (account_id)
    WHERE call_date >= $since_date AND call_date < CAST($as_of AS DATE)
    GROUP BY account_id
)
SELECT account_id, plan, country, cost_usd
FROM details
LEFT JOIN spent USING (account_id)

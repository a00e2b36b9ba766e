-- Grain: one row per event of an account, the newest first, at most $most an account.
-- Parameters: $accounts, list of account_id; $since_date, UTC day; $as_of, UTC instant; $until_date,
--   UTC day; $most.
-- Columns: account_id, at (UTC), kind, ip, ip_country, device, payment_fingerprint, amount, currency,
--   counterpart, detail.
SELECT
    account_id, e."at" AS "at", kind, ip, ip_country, device, payment_fingerprint, amount,
    currency, counterpart, detail
FROM account_events AS e
SEMI JOIN (SELECT unnest($accounts::VARCHAR[]) AS account_id) AS asked USING (account_id)
WHERE event_date >= $since_date AND event_date < $until_date AND e."at" < $as_of
QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY e."at" DESC) <= $most
ORDER BY account_id, e."at" DESC

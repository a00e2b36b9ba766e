-- Grain: one row per event of the account, the newest first.
-- Parameters: $account_id; $since_date, UTC day; $as_of, UTC instant; $until_date, UTC day.
-- Columns: at (UTC), kind, ip, device, payment_fingerprint, amount, currency, counterpart, detail.
SELECT e."at" AS "at", kind, ip, device, payment_fingerprint, amount, currency, counterpart, detail
FROM account_events AS e
WHERE account_id = $account_id
    AND event_date >= $since_date AND event_date < $until_date AND e."at" < $as_of
ORDER BY e."at" DESC
LIMIT 500

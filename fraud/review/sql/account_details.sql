-- Grain: one row per account asked for that is known, as its details stood.
-- Parameters: $accounts, list of account_id; $as_of, UTC instant.
-- Columns: account_id, created_at (UTC), name, email, phone, address, country, id_document,
--   social, payment_fingerprint, devices, forward_to (lists of text), signup_ip, plan, status,
--   status_since (UTC), status_reason.
SELECT
    account_id, created_at, name, email, phone, address, country, id_document, social,
    payment_fingerprint, devices, forward_to, signup_ip, plan, status, status_since, status_reason
FROM accounts
WHERE account_id IN (SELECT unnest($accounts::VARCHAR[]))
    AND valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY valid_from DESC) = 1

-- Account details as they stood at the last instant before a midnight.
-- Grain:      one row per account opened before it.
-- Needs:      accounts.
-- Parameters: $as_of (UTC instant; nothing that began at or after it is seen).
-- Result:     the details as given, and is_blocked: blocked for fraud or misuse by then.
SELECT
    account_id, name, email, phone, address, id_document, social, payment_fingerprint,
    devices, signup_ip, forward_to,
    COALESCE(
        status = 'blocked'
        AND status_reason IN ('fraud', 'misuse')
        AND COALESCE(status_since, valid_from) < $as_of,
        FALSE
    ) AS is_blocked
FROM accounts
WHERE created_at < $as_of
  AND valid_from < $as_of
  AND (valid_to IS NULL OR valid_to >= $as_of)
ORDER BY account_id

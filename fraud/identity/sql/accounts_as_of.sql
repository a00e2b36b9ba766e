-- Account details as they stood at the last instant before a midnight.
-- Grain:      one row per account opened before it.
-- Needs:      accounts.
-- Parameters: $as_of (UTC instant; nothing that began at or after it is seen), $left_out (accounts
--             that may be neither compared nor compared with).
-- Result:     the details as given, and blocked_on: the UTC day on which it was blocked for fraud or
--             misuse; null where it was not by then.
SELECT
    account_id, name, email, phone, address, id_document, social, payment_fingerprint,
    devices, signup_ip, forward_to,
    CASE
        WHEN status = 'blocked'
            AND status_reason IN ('fraud', 'misuse')
            AND COALESCE(status_since, valid_from) < $as_of
        THEN CAST(COALESCE(status_since, valid_from) AS DATE)
    END AS blocked_on
FROM accounts
WHERE created_at < $as_of
  AND valid_from < $as_of
  AND (valid_to IS NULL OR valid_to >= $as_of)
  AND NOT ARRAY_CONTAINS(CAST($left_out AS VARCHAR[]), account_id)
ORDER BY account_id

-- Account details one by one, with the midnights at which they stood.
-- Grain:      one row per account, period, kind and value.
-- Needs:      accounts.
-- Result:     kind, value (comparable: a postal address without case, blanks and punctuation),
--             first_date, last_date.
SELECT
    account_id, kind, value,
    CAST(valid_from - INTERVAL 1 MICROSECOND AS DATE) + 1 AS first_date,
    COALESCE(CAST(valid_to - INTERVAL 1 MICROSECOND AS DATE), DATE '9999-12-31') AS last_date
FROM (
    SELECT account_id, valid_from, valid_to, 'number' AS kind, phone AS value FROM accounts
    UNION ALL
    SELECT account_id, valid_from, valid_to, 'number', UNNEST(forward_to) FROM accounts
    UNION ALL
    SELECT account_id, valid_from, valid_to, 'device', UNNEST(devices) FROM accounts
    UNION ALL
    SELECT account_id, valid_from, valid_to, 'payment', UNNEST(payment_fingerprint) FROM accounts
    UNION ALL
    SELECT
        account_id, valid_from, valid_to, 'postal',
        REGEXP_REPLACE(LOWER(address), '[ .,;:/#-]+', '', 'g')
    FROM accounts
    UNION ALL
    SELECT
        account_id, valid_from, valid_to, 'domain', REGEXP_EXTRACT(LOWER(email), '@(.+)$', 1)
    FROM accounts
    UNION ALL
    SELECT account_id, valid_from, valid_to, 'ip', signup_ip FROM accounts
) AS details

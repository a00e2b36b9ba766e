-- Accounts blocked for fraud or misuse, and at which midnights that was known.
-- Grain:      one row per account and period in which its details stood.
-- Parameters: $left_out (accounts that may not be used).
-- Needs:      accounts.
-- Result:     trace_date (the midnight after the block), known_date (the first at which it was
--             known), until_date (the last; null while it lasts).
SELECT
    account_id,
    CAST(status_since AS DATE) + 1 AS trace_date,
    CAST(GREATEST(status_since, valid_from) AS DATE) + 1 AS known_date,
    CAST(valid_to - INTERVAL 1 MICROSECOND AS DATE) AS until_date
FROM accounts
WHERE status = 'blocked' AND status_reason IN ('fraud', 'misuse') AND status_since IS NOT NULL
    AND NOT ARRAY_CONTAINS(CAST($left_out AS VARCHAR[]), account_id)

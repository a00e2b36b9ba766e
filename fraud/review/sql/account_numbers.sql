-- Grain: one row per number that the account holds at the midnight.
-- Parameters: $account_id; $as_of, UTC instant.
-- Columns: number (E.164), valid_from (UTC, null since ever).
SELECT number, valid_from
FROM account_numbers
WHERE account_id = $account_id
    AND (valid_from IS NULL OR valid_from < $as_of) AND (valid_to IS NULL OR valid_to > $as_of)
ORDER BY number
LIMIT 200

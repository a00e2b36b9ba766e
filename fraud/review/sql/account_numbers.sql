-- Grain: one row per account and number that it held at some time of the last day, at most 2,000 an
--   account.
-- Parameters: $accounts, list of account_id; $as_of, UTC midnight.
-- Columns: account_id, number (E.164), valid_from (UTC, null since ever), held (still at the
--   midnight), is_new (taken up within seven days; null where the start is unknown).
SELECT
    account_id, number,
    min(valid_from) AS valid_from,
    bool_or(valid_to IS NULL OR valid_to > $as_of) AS held,
    bool_or(valid_from >= $as_of - INTERVAL 7 DAY) AS is_new
FROM account_numbers
SEMI JOIN (SELECT unnest($accounts::VARCHAR[]) AS account_id) AS asked USING (account_id)
WHERE (valid_from IS NULL OR valid_from < $as_of)
    AND (valid_to IS NULL OR valid_to > $as_of - INTERVAL 1 DAY)
GROUP BY account_id, number
QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY number) <= 2000
ORDER BY account_id, number

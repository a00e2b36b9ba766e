-- Who holds a number, so that calls between accounts can be seen.
-- Grain: one row per number held at some time of the last 30 days, and its account.
-- Parameters: $as_of, UTC midnight.
-- Columns: number (E.164), key (as in account_day_keys), account_id, status (as it stood).
SELECT DISTINCT n.number, left(md5(n.number), 12) AS key, n.account_id, a.status
FROM account_numbers AS n
LEFT JOIN (
    SELECT account_id, status
    FROM accounts
    WHERE valid_from <= $as_of AND (valid_to IS NULL OR valid_to > $as_of)
) AS a ON a.account_id = n.account_id
WHERE (n.valid_from IS NULL OR n.valid_from < $as_of)
    AND (n.valid_to IS NULL OR n.valid_to > $as_of - INTERVAL 30 DAY)

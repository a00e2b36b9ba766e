-- The accounts of one slice that existed at one midnight and may be scored.
-- Grain:      one row per account.
-- Parameters: $as_of (UTC midnight), $as_of_date (the day it begins), $left_out (account ids),
--             $from_account and $to_account (the slice, in the order of ids; null: from the first,
--             to the last).
-- Result:     account_id, as_of, as_of_date.
SELECT account_id, $as_of AS as_of, $as_of_date AS as_of_date
FROM accounts
WHERE created_at < $as_of AND NOT ARRAY_CONTAINS(CAST($left_out AS VARCHAR[]), account_id)
    AND account_id >= COALESCE(CAST($from_account AS VARCHAR), account_id)
    AND (CAST($to_account AS VARCHAR) IS NULL OR account_id < CAST($to_account AS VARCHAR))
GROUP BY account_id

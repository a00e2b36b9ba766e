-- Accounts at midnights of their own, where the account existed then and may be scored.
-- Grain:      one row per account and midnight.
-- Parameters: $pairs (list of structs: account_id, as_of, as_of_date), $left_out (account ids).
-- Result:     account_id, as_of, as_of_date.
SELECT p.account_id, p.as_of, p.as_of_date
FROM (SELECT UNNEST($pairs) AS p) AS given
JOIN accounts AS a ON a.account_id = p.account_id AND a.created_at < p.as_of
WHERE NOT ARRAY_CONTAINS(CAST($left_out AS VARCHAR[]), p.account_id)
GROUP BY p.account_id, p.as_of, p.as_of_date

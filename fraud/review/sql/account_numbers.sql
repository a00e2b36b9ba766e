-- Grain: one row per account and number that it holds at the midnight, at most 200 an account.
-- Parameters: $accounts, list of account_id; $as_of, UTC instant.
-- Columns: account_id, number (E.164), valid_from (UTC, null since ever).
SELECT account_id, number, valid_from
FROM account_numbers
SEMI JOIN (SELECT unnest($accounts::VARCHAR[]) AS account_id) AS asked USING (account_id)
WHERE (valid_from IS NULL OR valid_from < $as_of) AND (valid_to IS NULL OR valid_to > $as_of)
QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY number) <= 200
ORDER BY account_id, number

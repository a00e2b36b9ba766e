-- The days that the midnights look back on.
-- Grain:      one row per account and day with calls.
-- Parameters: $first_date, $until_date bound the days read.
-- Result:     the columns of account_days.
SELECT *
FROM account_days
WHERE call_date >= $first_date AND call_date < $until_date

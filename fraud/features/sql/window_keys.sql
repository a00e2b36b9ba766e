-- The keys of the days that the midnights look back on.
-- Grain:      one row per account, day, kind and key.
-- Parameters: $first_date, $until_date bound the days read.
-- Result:     the columns of account_day_keys that signals read.
SELECT account_id, kind, key, call_count, brief_ring_count, cost_usd, call_date
FROM account_day_keys
WHERE call_date >= $first_date AND call_date < $until_date

-- The hours in which calls were made.
-- Grain:      one row per account, midnight, day and UTC hour with calls out.
-- Parameters: $first_date, $until_date bound the days read, for pruning.
-- Result:     utc_hour_h, local_at (wall clock in the zone of the account's country; null where
--             unknown), call_count, cost_usd, days_ago.
SELECT
    s.account_id, s.as_of_date, k.call_date,
    DATE_DIFF('day', k.call_date, s.as_of_date) AS days_ago,
    CAST(k.key AS INTEGER) AS utc_hour_h,
    (CAST(k.call_date AS TIMESTAMPTZ) + INTERVAL 1 HOUR * CAST(k.key AS INTEGER)) AT TIME ZONE s.zone
        AS local_at,
    k.call_count, k.cost_usd
FROM subjects AS s
JOIN account_day_keys AS k
    ON k.account_id = s.account_id
    AND k.call_date >= s.as_of_date - 30 AND k.call_date < s.as_of_date
WHERE k.kind = 'hour'
    AND k.call_date >= $first_date AND k.call_date < $until_date

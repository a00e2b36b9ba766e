-- The hours in which calls were made, on the clock of UTC.
-- Grain:      one row per account, midnight, day and UTC hour with calls out.
-- Needs:      subjects, window_keys.
-- Result:     utc_hour_h, zone of the account's country, call_count, cost_usd; window_days, the
--             shortest window that sees the day: 1, 7 or 30.
SELECT
    s.account_id, s.as_of_date, s.zone, k.call_date,
    CASE
        WHEN k.call_date >= s.as_of_date - 1 THEN 1
        WHEN k.call_date >= s.as_of_date - 7 THEN 7
        ELSE 30
    END AS window_days,
    CAST(k.key AS INTEGER) AS utc_hour_h,
    k.call_count, k.cost_usd
FROM subjects AS s
JOIN window_keys AS k
    ON k.account_id = s.account_id
    AND k.call_date >= s.as_of_date - 30 AND k.call_date < s.as_of_date
WHERE k.kind = 'hour'

-- The account's own hours: the same calls by kind of day and hour.
-- Grain:      one row per account, midnight, weekend or not, and UTC hour.
-- Needs:      hour_keys.
-- Result:     calls within 1, 7 and 30 days; first_window_days: the shortest window that sees all.
SELECT
    account_id, as_of_date, utc_hour_h,
    DATE_DIFF('day', DATE '1970-01-05', call_date) % 7 >= 5 AS is_weekend,
    MAX(window_days) AS first_window_days,
    SUM(call_count) FILTER (WHERE window_days <= 1) AS call_count_1d,
    SUM(call_count) FILTER (WHERE window_days <= 7) AS call_count_7d,
    SUM(call_count) AS call_count_30d
FROM hour_keys
GROUP BY account_id, as_of_date, utc_hour_h, DATE_DIFF('day', DATE '1970-01-05', call_date) % 7 >= 5

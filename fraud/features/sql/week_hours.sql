-- The account's own hours: the same calls by kind of day and hour.
-- Grain:      one row per account, midnight, weekend or not, and UTC hour.
-- Needs:      hour_keys.
-- Result:     farthest day with a call in days before the midnight; calls within 1, 7, 30 days.
SELECT
    account_id, as_of_date, utc_hour_h,
    DATE_DIFF('day', DATE '1970-01-05', call_date) % 7 >= 5 AS is_weekend,
    MAX(days_ago) AS farthest_days_ago,
    SUM(call_count) FILTER (WHERE days_ago <= 1) AS call_count_1d,
    SUM(call_count) FILTER (WHERE days_ago <= 7) AS call_count_7d,
    SUM(call_count) AS call_count_30d
FROM hour_keys
GROUP BY account_id, as_of_date, utc_hour_h, DATE_DIFF('day', DATE '1970-01-05', call_date) % 7 >= 5

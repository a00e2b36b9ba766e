-- The hours in which calls were made, on the clock of the account's country.
-- Grain:      one row per account, midnight, day and UTC hour with calls out.
-- Needs:      hour_keys, local_hours.
-- Result:     local_hour_h and local_weekday (0 is Monday, as 1970-01-05 was; null where the
--             country is unknown), call_count, cost_usd, days_ago.
SELECT
    h.account_id, h.as_of_date, h.days_ago, h.call_count, h.cost_usd,
    EXTRACT(HOUR FROM l.local_at) AS local_hour_h,
    DATE_DIFF('day', DATE '1970-01-05', CAST(l.local_at AS DATE)) % 7 AS local_weekday
FROM hour_keys AS h
LEFT JOIN local_hours AS l
    ON l.zone = h.zone AND l.call_date = h.call_date AND l.utc_hour_h = h.utc_hour_h

-- The hours in which calls were made, on the clock of the account's country.
-- Grain:      one row per account, midnight and shortest window that sees the hours.
-- Needs:      hour_keys, local_hours.
-- Result:     window_days: 1, 7 or 30; call_count, and of it where the zone is known, at night and at
--             the weekend; the busiest and the costliest hour.
SELECT
    account_id, as_of_date, window_days,
    SUM(call_count) AS call_count,
    SUM(call_count) FILTER (WHERE is_night IS NOT NULL) AS local_call_count,
    COALESCE(SUM(call_count) FILTER (WHERE is_night), 0) AS night_call_count,
    COALESCE(SUM(call_count) FILTER (WHERE is_weekend), 0) AS weekend_call_count,
    MAX(busiest_hour_count) AS busiest_hour_count,
    MAX(costliest_hour_usd) AS costliest_hour_usd
FROM (
    SELECT
        h.account_id, h.as_of_date, h.window_days, l.is_night, l.is_weekend,
        SUM(h.call_count) AS call_count,
        MAX(h.call_count) AS busiest_hour_count,
        MAX(h.cost_usd) AS costliest_hour_usd
    FROM hour_keys AS h
    LEFT JOIN local_hours AS l
        ON l.zone = h.zone AND l.call_date = h.call_date AND l.utc_hour_h = h.utc_hour_h
    GROUP BY h.account_id, h.as_of_date, h.window_days, l.is_night, l.is_weekend
) AS kinds_of_hour
GROUP BY account_id, as_of_date, window_days

-- The days of the window.
-- Grain:      one row per account, midnight and day with calls.
-- Needs:      subjects, window_days.
-- Result:     the columns of account_days, days_ago (1 is the day before the midnight),
--             created_days_ago.
SELECT s.as_of_date, s.created_days_ago, DATE_DIFF('day', d.call_date, s.as_of_date) AS days_ago, d.*
FROM subjects AS s
JOIN window_days AS d
    ON d.account_id = s.account_id
    AND d.call_date >= s.as_of_date - 30 AND d.call_date < s.as_of_date

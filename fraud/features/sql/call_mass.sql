-- All decayed calls of an account, of which its calls with one number are a part.
-- Grain:      one row per account and midnight with calls.
-- Needs:      subjects, window_days.
-- Result:     mass_nano as decayed_nano of links; call_count.
SELECT
    s.account_id, s.as_of_date,
    SUM(d.outbound_count + d.inbound_count) AS call_count,
    SUM((d.outbound_count + d.inbound_count)
        * CAST(ROUND(POWER(0.85, DATE_DIFF('day', d.call_date, s.as_of_date) - 1)
        * 1000000000) AS BIGINT)) AS mass_nano
FROM subjects AS s
JOIN window_days AS d
    ON d.account_id = s.account_id
    AND d.call_date >= s.as_of_date - 30 AND d.call_date < s.as_of_date
GROUP BY s.account_id, s.as_of_date

-- The days of the window, added up to what its shorter windows see.
-- Grain:      one row per account, midnight, shortest window that sees the days, and whether they are
--             the account's first two.
-- Needs:      subjects, window_days.
-- Result:     window_days: 1 (the day before the midnight), 7 (the 6 days before) or 30 (the others);
--             is_first; is_new, whether the account was opened in the window; how many days there
--             are, how many had calls and how many calls made; the cost of the costliest; and the
--             columns of account_days, of all these days.
SELECT
    account_id, as_of_date, window_days, is_first,
    BOOL_OR(created_days_ago <= 30) AS is_new,
    COUNT(*) AS day_count,
    COUNT(*) FILTER (WHERE outbound_count + inbound_count > 0) AS active_day_count,
    COUNT(*) FILTER (WHERE outbound_count > 0) AS calling_day_count,
    MAX(cost_usd) AS costliest_day_usd,
    <DAY_SUMS>
FROM (
    SELECT
        s.as_of_date, s.created_days_ago, d.*,
        CASE
            WHEN d.call_date >= s.as_of_date - 1 THEN 1
            WHEN d.call_date >= s.as_of_date - 7 THEN 7
            ELSE 30
        END AS window_days,
        DATE_DIFF('day', d.call_date, s.as_of_date) >= s.created_days_ago - 1 AS is_first
    FROM subjects AS s
    JOIN window_days AS d
        ON d.account_id = s.account_id
        AND d.call_date >= s.as_of_date - 30 AND d.call_date < s.as_of_date
) AS each_day
GROUP BY account_id, as_of_date, window_days, is_first

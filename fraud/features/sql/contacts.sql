-- The other numbers (or parties) of the window.
-- Grain:      one row per account, midnight and contact.
-- Needs:      subjects, window_keys, mass_ringers.
-- Result:     out_... calls made to it, in_... calls it made; nearest and farthest day with a
--             call in days before the midnight (null: none); calls within 1, 7 and 30 days;
--             in_brief_... those of its calls that rang for 5 s or less; rung_count, how many accounts
--             it rang so (null: fewer than make it a mass ringer).
SELECT c.*, r.rung_count
FROM (
    SELECT
        s.account_id, s.as_of_date, k.key,
        MAX(s.created_days_ago) AS created_days_ago,
        MIN(DATE_DIFF('day', k.call_date, s.as_of_date)) FILTER (WHERE k.kind = 'callee')
            AS out_nearest_days_ago,
        MAX(DATE_DIFF('day', k.call_date, s.as_of_date)) FILTER (WHERE k.kind = 'callee')
            AS out_farthest_days_ago,
        MIN(DATE_DIFF('day', k.call_date, s.as_of_date)) FILTER (WHERE k.kind = 'caller')
            AS in_nearest_days_ago,
        SUM(k.brief_ring_count) FILTER (WHERE k.kind = 'caller' AND k.call_date >= s.as_of_date - 7)
            AS in_brief_count_7d,
        SUM(k.brief_ring_count) FILTER (WHERE k.kind = 'caller') AS in_brief_count_30d,
        SUM(k.call_count) FILTER (WHERE k.kind = 'callee' AND k.call_date >= s.as_of_date - 1)
            AS out_call_count_1d,
        SUM(k.call_count) FILTER (WHERE k.kind = 'callee' AND k.call_date >= s.as_of_date - 7)
            AS out_call_count_7d,
        SUM(k.call_count) FILTER (WHERE k.kind = 'callee') AS out_call_count_30d,
        SUM(k.call_count) AS call_count_30d
    FROM subjects AS s
    JOIN window_keys AS k
        ON k.account_id = s.account_id
        AND k.call_date >= s.as_of_date - 30 AND k.call_date < s.as_of_date
    WHERE k.kind IN ('callee', 'caller')
    GROUP BY s.account_id, s.as_of_date, k.key
) AS c
LEFT JOIN mass_ringers AS r ON r.as_of_date = c.as_of_date AND r.key = c.key

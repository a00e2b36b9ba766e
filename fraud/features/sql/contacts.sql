-- The other numbers (or parties) of the window.
-- Grain:      one row per account, midnight and contact.
-- Needs:      subjects, window_keys, mass_ringers.
-- Result:     is_new, whether the account was opened in the window; called_..., whether the contact was
--             called within 1, 7 and 30 days, before the last 1 and 7, and in the account's first two;
--             calling_..., whether it called, and brief_..., whether it rang for 5 s or less;
--             out_call_count_..., calls made to it; call_count_30d, calls either way; rung_count, how
--             many accounts it rang so (null: fewer than make it a mass ringer).
SELECT
    c.account_id, c.as_of_date, (c.seen & 1024) > 0 AS is_new,
    (c.seen & 1) > 0 AS called_1d, (c.seen & 3) > 0 AS called_7d, (c.seen & 7) > 0 AS called_30d,
    (c.seen & 6) > 0 AS called_before_1d, (c.seen & 4) > 0 AS called_before_7d,
    (c.seen & 512) > 0 AS called_first,
    (c.seen & 8) > 0 AS calling_1d, (c.seen & 24) > 0 AS calling_7d, (c.seen & 56) > 0 AS calling_30d,
    (c.seen & 192) > 0 AS brief_7d, (c.seen & 448) > 0 AS brief_30d,
    c.out_call_count_1d, c.out_call_count_7d, c.out_call_count_30d, c.call_count_30d, r.rung_count
FROM (
    -- seen: what is known of a contact in one number, which adds up faster than a column each.
    -- 1 it was called, 8 it called, 72 (8 + 64) rang briefly: on the last day; twice that on the six
    -- days before, four times on the others; 512 it was called in the account's first two days; 1024
    -- the account is new
    SELECT
        s.account_id, s.as_of_date, k.key,
        BIT_OR(
            CASE WHEN k.kind = 'callee' THEN 1 WHEN k.brief_ring_count > 0 THEN 72 ELSE 8 END
            * CASE
                WHEN k.call_date >= s.as_of_date - 1 THEN 1
                WHEN k.call_date >= s.as_of_date - 7 THEN 2
                ELSE 4
            END
            + CASE
                WHEN k.kind = 'callee'
                    AND DATE_DIFF('day', k.call_date, s.as_of_date) >= s.created_days_ago - 1
                THEN 512
                ELSE 0
            END
            + CASE WHEN s.created_days_ago <= 30 THEN 1024 ELSE 0 END
        ) AS seen,
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

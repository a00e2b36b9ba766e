-- Where calls went to and came from: countries and prefixes called, addresses and networks called
-- from and the countries these were given to.
-- Grain:      one row per account, midnight, kind (country, prefix, address, network, ip_country)
--             and key.
-- Needs:      subjects, window_keys.
-- Result:     is_new, whether the account was opened in the window; seen_..., whether there was a call
--             within 1, 7 and 30 days, before the last 1 and 7, and in the account's first two;
--             call_count_..., calls made; is_home (the country is the account's own; null where
--             unknown).
SELECT
    p.account_id, p.as_of_date, p.kind, (p.seen & 1024) > 0 AS is_new,
    (p.seen & 1) > 0 AS seen_1d, (p.seen & 3) > 0 AS seen_7d, TRUE AS seen_30d,
    (p.seen & 6) > 0 AS seen_before_1d, (p.seen & 4) > 0 AS seen_before_7d,
    (p.seen & 512) > 0 AS seen_first,
    CASE WHEN (p.seen & 16) > 0 THEN TRUE WHEN (p.seen & 8) > 0 THEN FALSE END AS is_home,
    p.call_count_1d, p.call_count_7d, p.call_count_30d
FROM (
    -- seen, as of contacts: 1 on the last day, 2 on the six before, 4 on the others; 8 a country
    -- abroad, 16 at home; 512 in the account's first two days, 1024 the account is new
    SELECT
        s.account_id, s.as_of_date, k.kind, k.key,
        BIT_OR(
            CASE
                WHEN k.call_date >= s.as_of_date - 1 THEN 1
                WHEN k.call_date >= s.as_of_date - 7 THEN 2
                ELSE 4
            END
            + CASE
                WHEN k.kind NOT IN ('country', 'ip_country') OR s.country IS NULL THEN 0
                WHEN k.key = s.country THEN 16
                ELSE 8
            END
            + CASE
                WHEN DATE_DIFF('day', k.call_date, s.as_of_date) >= s.created_days_ago - 1 THEN 512
                ELSE 0
            END
            + CASE WHEN s.created_days_ago <= 30 THEN 1024 ELSE 0 END
        ) AS seen,
        SUM(k.call_count) FILTER (WHERE k.call_date >= s.as_of_date - 1) AS call_count_1d,
        SUM(k.call_count) FILTER (WHERE k.call_date >= s.as_of_date - 7) AS call_count_7d,
        SUM(k.call_count) AS call_count_30d
    FROM subjects AS s
    JOIN window_keys AS k
        ON k.account_id = s.account_id
        AND k.call_date >= s.as_of_date - 30 AND k.call_date < s.as_of_date
    WHERE k.kind NOT IN ('callee', 'caller', 'hour')
    GROUP BY s.account_id, s.as_of_date, k.kind, k.key
) AS p

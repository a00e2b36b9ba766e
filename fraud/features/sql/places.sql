-- Where calls went to and came from: countries and prefixes called, addresses and networks called
-- from and the countries these were given to.
-- Grain:      one row per account, midnight, kind (country, prefix, address, network, ip_country)
--             and key.
-- Needs:      subjects, window_keys.
-- Result:     nearest and farthest day in days before the midnight; calls made within 1, 7 and
--             30 days; is_home (the country is the account's own; null where unknown).
SELECT
    s.account_id, s.as_of_date, k.kind, k.key,
    MAX(s.created_days_ago) AS created_days_ago,
    BOOL_OR(CASE WHEN k.kind IN ('country', 'ip_country') THEN k.key = s.country END) AS is_home,
    MIN(DATE_DIFF('day', k.call_date, s.as_of_date)) AS nearest_days_ago,
    MAX(DATE_DIFF('day', k.call_date, s.as_of_date)) AS farthest_days_ago,
    SUM(k.call_count) FILTER (WHERE k.call_date >= s.as_of_date - 1) AS call_count_1d,
    SUM(k.call_count) FILTER (WHERE k.call_date >= s.as_of_date - 7) AS call_count_7d,
    SUM(k.call_count) AS call_count_30d
FROM subjects AS s
JOIN window_keys AS k
    ON k.account_id = s.account_id
    AND k.call_date >= s.as_of_date - 30 AND k.call_date < s.as_of_date
WHERE k.kind IN ('country', 'prefix', 'address', 'network', 'ip_country')
GROUP BY s.account_id, s.as_of_date, k.kind, k.key

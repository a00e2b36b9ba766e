-- How often an account was seen with something that can be compared, calls apart.
-- Grain:      one row per account and midnight with such a detail.
-- Needs:      subjects, window_keys, detail_sightings.
-- Result:     device_count, payment_count, postal_count, ip_count, detail_count (of any kind).
SELECT
    s.account_id, s.as_of_date,
    COUNT(*) FILTER (WHERE g.kind = 'device') AS device_count,
    COUNT(*) FILTER (WHERE g.kind = 'payment') AS payment_count,
    COUNT(*) FILTER (WHERE g.kind = 'postal') AS postal_count,
    COUNT(*) FILTER (WHERE g.kind = 'ip') AS ip_count,
    COUNT(*) AS detail_count
FROM subjects AS s
JOIN (
    SELECT account_id, kind, first_date, last_date FROM detail_sightings
    UNION ALL
    SELECT account_id, 'ip', call_date + 1, call_date + 30 FROM window_keys WHERE kind = 'address'
) AS g
    ON g.account_id = s.account_id
    AND g.first_date <= s.as_of_date AND g.last_date >= s.as_of_date
GROUP BY s.account_id, s.as_of_date

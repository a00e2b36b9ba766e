-- From which devices, addresses and countries events came.
-- Grain:      one row per account, midnight, kind (device, ip, ip_country) and value.
-- Needs:      events.
-- Result:     nearest and farthest day in days before the midnight.
SELECT
    account_id, as_of_date, kind, value,
    MIN(days_ago) AS nearest_days_ago,
    MAX(days_ago) AS farthest_days_ago
FROM (
    SELECT account_id, as_of_date, days_ago, 'device' AS kind, device AS value FROM events
    UNION ALL
    SELECT account_id, as_of_date, days_ago, 'ip', ip FROM events
    UNION ALL
    SELECT account_id, as_of_date, days_ago, 'ip_country', ip_country FROM events
) AS shown
WHERE value IS NOT NULL
GROUP BY account_id, as_of_date, kind, value

-- The accounts to describe, with what was known of them at their midnight.
-- Grain:      one row per account and midnight.
-- Needs:      scored, accounts, zones (country, zone).
-- Result:     created_days_ago (UTC days since sign-up, from 0), country and zone as they stood
--             then; null where unknown.
SELECT
    d.account_id, d.as_of, d.as_of_date, d.created_days_ago, d.country, z.zone
FROM (
    SELECT
        s.account_id, s.as_of, s.as_of_date,
        DATE_DIFF('day', CAST(MIN(a.created_at) AS DATE), s.as_of_date) AS created_days_ago,
        MAX(CASE
            WHEN a.valid_from <= s.as_of AND (a.valid_to IS NULL OR s.as_of < a.valid_to)
            THEN a.country
        END) AS country
    FROM scored AS s
    JOIN accounts AS a ON a.account_id = s.account_id
    GROUP BY s.account_id, s.as_of, s.as_of_date
) AS d
LEFT JOIN zones AS z ON z.country = d.country

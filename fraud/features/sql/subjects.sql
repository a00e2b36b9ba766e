-- The accounts to describe, with what was known of them at their midnight.
-- Grain:      one row per account and midnight.
-- Needs:      scored, accounts, zones (country, zone).
-- Result:     created_days_ago (UTC days since sign-up, from 0), country and zone as they stood
--             then; null where unknown. known_before_date: the midnight up to which blocks of others
--             are looked at. For an account that is blocked itself it is the one before its own
--             block: whoever is blocked along with it, or later, was no pattern when it counted.
SELECT
    d.account_id, d.as_of, d.as_of_date, d.created_days_ago, d.country, z.zone,
    LEAST(d.as_of_date, COALESCE(d.block_date, d.as_of_date)) AS known_before_date
FROM (
    SELECT
        s.account_id, s.as_of, s.as_of_date,
        DATE_DIFF('day', CAST(MIN(a.created_at) AS DATE), s.as_of_date) AS created_days_ago,
        MAX(CASE
            WHEN a.valid_from <= s.as_of AND (a.valid_to IS NULL OR s.as_of < a.valid_to)
            THEN a.country
        END) AS country,
        MAX(CASE
            WHEN a.valid_from <= s.as_of AND (a.valid_to IS NULL OR s.as_of < a.valid_to)
                AND a.status = 'blocked' AND a.status_since < s.as_of
            THEN CAST(a.status_since AS DATE)
        END) AS block_date
    FROM scored AS s
    JOIN accounts AS a ON a.account_id = s.account_id
    GROUP BY s.account_id, s.as_of, s.as_of_date
) AS d
LEFT JOIN zones AS z ON z.country = d.country

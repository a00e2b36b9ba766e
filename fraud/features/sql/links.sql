-- What each account has in common with the traces of any blocked account.
-- Grain:      one row per account, midnight, kind and key.
-- Needs:      subjects, sightings, left_behind.
-- Result:     decayed_nano: its calls with that number, 0.85 less for each day, in billionths of a
--             call of the last day; null where the key is not from calls.
SELECT
    s.account_id, s.as_of_date, s.known_before_date, g.kind, g.key,
    SUM(g.call_count * CAST(ROUND(POWER(0.85, DATE_DIFF('day', g.first_date, s.as_of_date))
        * 1000000000) AS BIGINT)) AS decayed_nano
FROM subjects AS s
JOIN sightings AS g
    ON g.account_id = s.account_id
    AND g.first_date <= s.as_of_date AND g.last_date >= s.as_of_date
JOIN left_behind AS l ON l.kind = g.kind AND l.key = g.key
GROUP BY s.account_id, s.as_of_date, s.known_before_date, g.kind, g.key

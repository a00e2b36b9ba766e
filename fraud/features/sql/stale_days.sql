-- Days whose calls changed since they were reduced: new, late, corrected or removed legs.
-- Grain:      one row per day.
-- Parameters: $first_date, $until_date (the second excluded).
-- Result:     call_date, oldest first.
SELECT COALESCE(c.call_date, d.call_date) AS call_date
FROM (
    SELECT call_date, COUNT(*) AS leg_count, MAX(ingested_at) AS newest_ingested_at
    FROM calls
    WHERE call_date >= $first_date AND call_date < $until_date AND account_id IS NOT NULL
    GROUP BY call_date
) AS c
FULL JOIN (
    SELECT call_date, SUM(leg_count) AS leg_count, MAX(newest_ingested_at) AS newest_ingested_at
    FROM account_days
    WHERE call_date >= $first_date AND call_date < $until_date
    GROUP BY call_date
) AS d ON d.call_date = c.call_date
WHERE c.leg_count IS NULL OR d.leg_count IS NULL
    OR c.leg_count <> d.leg_count
    OR c.newest_ingested_at <> d.newest_ingested_at
ORDER BY call_date

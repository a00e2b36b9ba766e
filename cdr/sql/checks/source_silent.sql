-- Says:       source {subject} left no calls on {day}; it did on {expected:.0f} of the seven days before
-- Grain:      one row per source that is silent and usually is not.
-- Parameters: $day (UTC day).
-- Needs:      calls.
-- Result:     subject (source), measured (calls on the day, 0), expected (days with calls, of seven).
WITH days AS (
    SELECT source, call_date, COUNT(*) AS call_count
    FROM calls
    WHERE call_date BETWEEN $day - 7 AND $day
    GROUP BY source, call_date
)
SELECT
    source AS subject,
    0::DOUBLE AS measured,
    COUNT(*) FILTER (WHERE call_date < $day)::DOUBLE AS expected
FROM days
GROUP BY source
HAVING COUNT(*) FILTER (WHERE call_date = $day) = 0
    AND COUNT(*) FILTER (WHERE call_date < $day) >= 5
ORDER BY subject

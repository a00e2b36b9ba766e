-- Says:       source {subject} left {measured:.0f} calls on {day}, {expected:.0f} on the same weekday as a rule
-- Grain:      one row per source with less than a third of its usual calls; a silent one has its own check.
-- Parameters: $day (UTC day).
-- Needs:      calls.
-- Result:     subject (source), measured (calls on the day), expected (median of the same weekday in
--             the four weeks before, where at least two of them have calls).
WITH days AS (
    SELECT source, call_date, COUNT(*) AS call_count
    FROM calls
    WHERE call_date IN ($day, $day - 7, $day - 14, $day - 21, $day - 28)
    GROUP BY source, call_date
)
SELECT
    source AS subject,
    SUM(call_count) FILTER (WHERE call_date = $day)::DOUBLE AS measured,
    MEDIAN(call_count) FILTER (WHERE call_date < $day)::DOUBLE AS expected
FROM days
GROUP BY source
HAVING COUNT(*) FILTER (WHERE call_date < $day) >= 2
    AND SUM(call_count) FILTER (WHERE call_date = $day) * 3
        < MEDIAN(call_count) FILTER (WHERE call_date < $day)
ORDER BY subject

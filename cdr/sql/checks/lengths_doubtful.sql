-- Says:       {measured:.1%} of the answered calls of source {subject} on {day} have a doubtful length; it loses ends of calls
-- Grain:      one row per source where more than one answered call in a hundred is flagged.
-- Parameters: $day (UTC day).
-- Needs:      calls.
-- Result:     subject (source), measured (share of answered calls, 0..1), expected (share that is borne).
SELECT
    source AS subject,
    (COUNT(*) FILTER (WHERE LIST_CONTAINS(flags, 'suspect_duration')) / COUNT(*))::DOUBLE AS measured,
    0.01::DOUBLE AS expected
FROM calls
WHERE call_date = $day AND outcome = 'answered'
GROUP BY source
HAVING measured > expected
ORDER BY subject

-- Says:       {measured:.0f} calls of source {subject} begin after they were taken in; mend its clock or its zone
-- Grain:      one row per source with such calls; five minutes of clock difference are borne.
-- Parameters: $day (UTC day).
-- Needs:      calls.
-- Result:     subject (source), measured (calls), expected (0).
SELECT source AS subject, COUNT(*)::DOUBLE AS measured, 0::DOUBLE AS expected
FROM calls
WHERE call_date >= $day AND started_at > ingested_at + INTERVAL 5 MINUTE
GROUP BY source
ORDER BY subject

-- Says:       {measured:.1%} of the calls of source {subject} to numbers on {day} have no account; import what names its accounts
-- Grain:      one row per source that finds accounts for some of its calls to numbers, but not for one
--             in twenty. Calls between extensions often say nothing of an account.
-- Parameters: $day (UTC day).
-- Needs:      calls.
-- Result:     subject (source), measured (share of these calls without account, 0..1),
--             expected (share that is borne).
SELECT
    source AS subject,
    (COUNT(*) FILTER (WHERE account_id IS NULL) / COUNT(*))::DOUBLE AS measured,
    0.05::DOUBLE AS expected
FROM calls
WHERE call_date = $day AND direction = 'outbound' AND callee_number IS NOT NULL
GROUP BY source
HAVING COUNT(account_id) > 0 AND measured > expected
ORDER BY subject

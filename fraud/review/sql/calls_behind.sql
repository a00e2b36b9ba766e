-- Grain: one row per call behind a number of the case, the newest first; legs of a call are
--   joined as the signals join them, and `whole` counts all calls that meet the conditions.
-- Parameters: $account_id; $since_date, $until_date, UTC days (until is excluded); $direction;
--   $answered, $failed, $abroad, $longest_ms, $longest_ring_ms: null asks for nothing;
--   $home_country, ISO 3166-1 alpha-2 or null; $skip, $limit.
-- Columns: started_at (UTC), direction, caller, callee (number or party), callee_country, answered,
--   outcome, ring_ms (ms), duration_ms (ms, null when not answered or doubtful), whole (calls).
WITH legs AS (
    SELECT
        *,
        coalesce(call_id, hex(record_id)) AS call_key,
        CASE WHEN NOT array_contains(flags, 'suspect_duration') THEN duration_ms END AS sure_ms
    FROM calls
    WHERE account_id = $account_id AND direction = $direction
        AND call_date >= $since_date AND call_date < $until_date
),
joined AS (
    SELECT
        min(started_at) AS started_at,
        any_value(direction) AS direction,
        arg_max(coalesce(caller_number, caller_party), coalesce(sure_ms, -1) * 1000 - leg) AS caller,
        arg_max(coalesce(callee_number, callee_party), coalesce(sure_ms, -1) * 1000 - leg) AS callee,
        arg_max(callee_country, coalesce(sure_ms, -1) * 1000 - leg) AS callee_country,
        bool_or(outcome = 'answered') AS answered,
        bool_and(outcome IN ('failed', 'rejected')) AS failed,
        arg_max(outcome, coalesce(sure_ms, -1) * 1000 - leg) AS outcome,
        max(ring_ms) AS ring_ms,
        max(sure_ms) AS duration_ms
    FROM legs
    GROUP BY call_date, source, call_key
)
SELECT
    started_at, direction, caller, callee, callee_country, answered, outcome, ring_ms,
    duration_ms, count(*) OVER () AS whole
FROM joined
WHERE ($answered IS NULL OR answered = $answered)
    AND ($failed IS NULL OR failed = $failed)
    AND ($abroad IS NULL OR coalesce(callee_country <> $home_country, FALSE) = $abroad)
    AND ($longest_ms IS NULL OR duration_ms <= $longest_ms)
    AND ($longest_ring_ms IS NULL OR ring_ms <= $longest_ring_ms)
ORDER BY started_at DESC, callee
LIMIT $limit OFFSET $skip

-- Grain: one row per call behind a number of the case, the newest first; legs of a call are
--   joined as the signals join them, and `whole` counts all calls that meet the conditions.
-- Parameters: $account_id; $since_date, $until_date, UTC days (until is excluded); $direction;
--   $answered, $failed, $abroad, $longest_ms, $longest_ring_ms: null asks for nothing;
--   $home_country, ISO 3166-1 alpha-2 or null; $first_days, only the UTC day the account was
--   opened and the next; $pick, which of the calls: `all`, `high_risk`, `test_number`,
--   `busiest_hour`, `busiest_minute`, `most_at_once`; $risks, list of (prefix, high_risk);
--   $skip, $limit.
-- Columns: started_at (UTC), direction, caller, callee (number or party), caller_ip,
--   callee_country, answered, outcome, ring_ms (ms), duration_ms (ms, null when not answered or
--   doubtful), whole (calls).
WITH opened AS (
    SELECT CAST(min(created_at) AS DATE) AS opened_date FROM accounts WHERE account_id = $account_id
),
legs AS (
    SELECT
        *,
        coalesce(call_id, hex(record_id)) AS call_key,
        CASE WHEN NOT array_contains(flags, 'suspect_duration') THEN duration_ms END AS sure_ms,
        CASE WHEN NOT array_contains(flags, 'suspect_duration') THEN ended_at END AS sure_end_at
    FROM calls
    WHERE account_id = $account_id AND direction = $direction
        AND call_date >= $since_date AND call_date < $until_date
        AND (
            NOT $first_days
            OR call_date - (SELECT opened_date FROM opened) BETWEEN 0 AND 1
        )
),
joined AS (
    SELECT
        call_date,
        min(started_at) AS started_at,
        max(sure_end_at) AS ended_at,
        any_value(direction) AS direction,
        arg_max(coalesce(caller_number, caller_party), coalesce(sure_ms, -1) * 1000 - leg) AS caller,
        arg_max(coalesce(callee_number, callee_party), coalesce(sure_ms, -1) * 1000 - leg) AS callee,
        arg_max(callee_number, coalesce(sure_ms, -1) * 1000 - leg) AS callee_number,
        arg_max(callee_number_type, coalesce(sure_ms, -1) * 1000 - leg) AS callee_number_type,
        arg_max(caller_ip, coalesce(sure_ms, -1) * 1000 - leg) AS caller_ip,
        arg_max(callee_country, coalesce(sure_ms, -1) * 1000 - leg) AS callee_country,
        bool_or(outcome = 'answered') AS answered,
        bool_and(outcome IN ('failed', 'rejected')) AS failed,
        arg_max(outcome, coalesce(sure_ms, -1) * 1000 - leg) AS outcome,
        max(ring_ms) AS ring_ms,
        max(sure_ms) AS duration_ms
    FROM legs
    GROUP BY call_date, source, call_key
),
risks AS (
    SELECT unnest($risks, recursive := TRUE)
),
prefixed AS (
    -- the longest known prefix decides
    SELECT callee_number, arg_max(high_risk, length(prefix)) AS high_risk
    FROM (SELECT DISTINCT callee_number FROM joined) JOIN risks ON starts_with(callee_number, prefix)
    GROUP BY callee_number
),
listed AS (
    SELECT list, entry, valid_from, valid_to FROM lists WHERE list IN ('high_risk_ranges', 'test_numbers')
),
hours AS (
    SELECT call_date, date_trunc('hour', started_at) AS began_at, count(*) AS n FROM joined GROUP BY ALL
),
minutes AS (
    SELECT call_date, started_at, count(*) OVER (
        PARTITION BY call_date ORDER BY started_at
        RANGE BETWEEN INTERVAL 59999999 MICROSECONDS PRECEDING AND CURRENT ROW
    ) AS n
    FROM joined
),
ends AS (
    SELECT
        *, greatest(coalesce(ended_at, started_at), started_at + INTERVAL 1 MICROSECOND) AS end_at
    FROM joined
),
edges AS (
    SELECT call_date, started_at AS edge_at, 1 AS step FROM ends
    UNION ALL
    SELECT call_date, end_at, -1 FROM ends
),
up AS (
    SELECT call_date, edge_at, sum(step) OVER (
        PARTITION BY call_date ORDER BY edge_at, step ROWS UNBOUNDED PRECEDING
    ) AS n
    FROM edges
),
peaks AS (
    SELECT
        (SELECT arg_max(began_at, (n, began_at)) FROM hours) AS hour_at,
        (SELECT arg_max(started_at, (n, started_at)) FROM minutes) AS minute_at,
        (SELECT arg_max((call_date, edge_at), (n, edge_at)) FROM up) AS moment
)
SELECT
    c.started_at, c.direction, c.caller, c.callee, c.caller_ip, c.callee_country, c.answered,
    c.outcome, c.ring_ms, c.duration_ms, count(*) OVER () AS whole
FROM ends AS c
CROSS JOIN peaks
LEFT JOIN prefixed AS p ON p.callee_number = c.callee_number
WHERE ($answered IS NULL OR c.answered = $answered)
    AND ($failed IS NULL OR c.failed = $failed)
    AND ($abroad IS NULL OR coalesce(c.callee_country <> $home_country, FALSE) = $abroad)
    AND ($longest_ms IS NULL OR c.duration_ms <= $longest_ms)
    AND ($longest_ring_ms IS NULL OR c.ring_ms <= $longest_ring_ms)
    AND CASE $pick
        WHEN 'busiest_hour' THEN date_trunc('hour', c.started_at) = peaks.hour_at
        WHEN 'busiest_minute' THEN
            c.call_date = CAST(peaks.minute_at AS DATE) AND c.started_at <= peaks.minute_at
            AND c.started_at > peaks.minute_at - INTERVAL 60 SECONDS
        WHEN 'most_at_once' THEN
            c.call_date = peaks.moment[1] AND c.started_at <= peaks.moment[2]
            AND c.end_at > peaks.moment[2]
        WHEN 'test_number' THEN EXISTS (
            SELECT 1 FROM listed AS l
            WHERE l.list = 'test_numbers' AND l.entry = c.callee_number
                AND (l.valid_from IS NULL OR l.valid_from < c.call_date + 1)
                AND (l.valid_to IS NULL OR l.valid_to > c.call_date)
        )
        WHEN 'high_risk' THEN coalesce(
            -- a range or a kind of number that no known prefix covers has no risk of its own
            (p.high_risk OR (p.callee_number IS NOT NULL AND EXISTS (
                SELECT 1 FROM listed AS l
                WHERE l.list = 'high_risk_ranges' AND starts_with(c.callee_number, l.entry)
                    AND (l.valid_from IS NULL OR l.valid_from < c.call_date + 1)
                    AND (l.valid_to IS NULL OR l.valid_to > c.call_date)
            ))) OR c.callee_number_type IN ('satellite', 'premium', 'premium_rate'),
            FALSE
        )
        ELSE TRUE
    END
ORDER BY c.started_at DESC, c.callee
LIMIT $limit OFFSET $skip

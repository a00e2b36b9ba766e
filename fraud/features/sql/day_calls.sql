-- The calls of one day, legs and attempts joined, with what their destination costs and risks.
-- Grain:      one row per account, direction, source and call. A call whose legs start on both
--             sides of midnight is one call on each day.
-- Parameters: $day (UTC day), $since, $until (its first instant and the next day's).
-- Needs:      calls, lists, destination_risk (prefix, risk, usd_micro_per_min), leg_costs
--             (record_id, usd_micro: null where no rate is known).
-- Result:     day_calls and, of the numbers called, rated_numbers. duration_ms is the longest leg's
--             (two legs of one conversation are not added up) and null when nothing was answered
--             or the length is doubtful.
legs AS (
    SELECT
        account_id, direction, source, leg, started_at, ring_ms, outcome, forwarded_to,
        callee_country, callee_number_type, callee_number, ingested_at, usd_micro,
        COALESCE(call_id, HEX(calls.record_id)) AS call_key,
        COALESCE(callee_number, callee_party) AS callee,
        COALESCE(caller_number, caller_party) AS caller,
        caller_ip, caller_ip_country,
        -- strangers share private addresses: their keys are the account's own
        CASE
            WHEN REGEXP_MATCHES(caller_ip, '<PRIVATE_ADDRESS>') THEN account_id || ' '
            WHEN caller_ip IS NOT NULL THEN ''
        END AS address_owner,
        CASE WHEN NOT ARRAY_CONTAINS(flags, 'suspect_duration') THEN duration_ms END AS duration_ms,
        CASE WHEN NOT ARRAY_CONTAINS(flags, 'suspect_duration') THEN ended_at END AS ended_at
    FROM calls
    LEFT JOIN leg_costs ON leg_costs.record_id = calls.record_id
    WHERE call_date = $day AND account_id IS NOT NULL
),
ranked_legs AS (
    -- the leg that stands for the call: the longest, of equals the first
    SELECT *, COALESCE(duration_ms, -1) * 1000 - leg AS leg_rank FROM legs
),
day_calls AS (
    SELECT
        account_id, direction, source, call_key,
        COUNT(*) AS leg_count,
        MAX(ingested_at) AS newest_ingested_at,
        MIN(started_at) AS started_at,
        MAX(ended_at) AS ended_at,
        BOOL_OR(outcome = 'answered') AS answered,
        BOOL_AND(outcome IN ('failed', 'rejected')) AS failed,
        MAX(ring_ms) AS ring_ms,
        MAX(duration_ms) AS duration_ms,
        -- a call of which one leg has no rate is priced as a whole by the indicative table
        CASE WHEN COUNT(usd_micro) = COUNT(*) THEN SUM(usd_micro) END AS usd_micro,
        BOOL_OR(forwarded_to IS NOT NULL) AS forwarded,
        ARG_MAX(callee, leg_rank) AS callee,
        ARG_MAX(callee_number, leg_rank) AS callee_number,
        ARG_MAX(callee_country, leg_rank) AS callee_country,
        ARG_MAX(callee_number_type, leg_rank) AS callee_number_type,
        ARG_MAX(caller, leg_rank) AS caller,
        ARG_MAX(caller_ip, leg_rank) AS caller_ip,
        ARG_MAX(caller_ip_country, leg_rank) AS caller_ip_country,
        ARG_MAX(address_owner, leg_rank) AS address_owner
    FROM ranked_legs
    GROUP BY account_id, direction, source, call_key
),
called_numbers AS (
    SELECT DISTINCT callee_number
    FROM day_calls
    WHERE direction = 'outbound' AND callee_number IS NOT NULL
),
risk_lengths AS (
    SELECT DISTINCT LENGTH(prefix) AS prefix_length FROM destination_risk
),
called_prefixes AS (
    SELECT c.callee_number, l.prefix_length, LEFT(c.callee_number, l.prefix_length) AS prefix
    FROM called_numbers AS c
    CROSS JOIN risk_lengths AS l
),
prefixed_numbers AS (
    -- the longest known prefix decides
    SELECT
        c.callee_number,
        ARG_MAX(d.risk, c.prefix_length) AS risk,
        ARG_MAX(d.usd_micro_per_min, c.prefix_length) AS usd_micro_per_min
    FROM called_prefixes AS c
    JOIN destination_risk AS d ON d.prefix = c.prefix
    GROUP BY c.callee_number
),
-- the operator's own ranges are not put under the constants by UNION ALL: DuckDB 2.0 stops with
-- an internal error where such a union is joined twice
listed_ranges AS (
    SELECT DISTINCT entry, LENGTH(entry) AS prefix_length
    FROM lists
    WHERE list = 'high_risk_ranges'
      AND (valid_from IS NULL OR valid_from < $until) AND (valid_to IS NULL OR valid_to > $since)
),
listed_lengths AS (
    SELECT DISTINCT prefix_length FROM listed_ranges
),
range_candidates AS (
    SELECT c.callee_number, LEFT(c.callee_number, l.prefix_length) AS prefix
    FROM called_numbers AS c
    CROSS JOIN listed_lengths AS l
),
listed_numbers AS (
    SELECT DISTINCT c.callee_number
    FROM range_candidates AS c
    JOIN listed_ranges AS r ON r.entry = c.prefix
),
test_numbers AS (
    SELECT DISTINCT entry AS callee_number
    FROM lists
    WHERE list = 'test_numbers'
      AND (valid_from IS NULL OR valid_from < $until) AND (valid_to IS NULL OR valid_to > $since)
),
rated_numbers AS (
    SELECT
        p.callee_number,
        p.usd_micro_per_min,
        r.callee_number IS NOT NULL OR p.risk IN ('satellite', 'premium', 'high') AS high_risk,
        p.risk = 'elevated' AS elevated_risk,
        t.callee_number IS NOT NULL AS test_number
    FROM prefixed_numbers AS p
    LEFT JOIN listed_numbers AS r ON r.callee_number = p.callee_number
    LEFT JOIN test_numbers AS t ON t.callee_number = p.callee_number
)

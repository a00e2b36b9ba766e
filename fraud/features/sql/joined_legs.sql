-- Legs and attempts joined to calls.
-- Grain:      one row per account, UTC day, direction, source and call. A call whose legs start on
--             both sides of midnight is one call on each day.
-- Needs:      legs (what is read below; duration_ms and ended_at are null where they are in doubt).
-- Result:     day_calls. duration_ms is the longest leg's (two legs of one conversation are not
--             added up) and null when nothing was answered or the length is doubtful.
ranked_legs AS (
    -- the leg that stands for the call: the longest, of equals the first
    SELECT *, COALESCE(duration_ms, -1) * 1000 - leg AS leg_rank FROM legs
),
day_calls AS (
    SELECT
        account_id, call_date, direction, source, call_key,
        COUNT(*) AS leg_count,
        MAX(ingested_at) AS newest_ingested_at,
        MIN(started_at) AS started_at,
        MAX(ended_at) AS ended_at,
        BOOL_OR(outcome = 'answered') AS answered,
        BOOL_AND(outcome IN ('failed', 'rejected')) AS failed,
        ARG_MAX(outcome, leg_rank) AS outcome,
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
    GROUP BY account_id, call_date, direction, source, call_key
)

-- What a day's sums cannot give: overlaps, busiest minute, runs of numbers.
-- Grain:      one row per account in each of the four relations.
-- Needs:      rated_calls.
-- Result:     peak_overlap (calls up at one moment), peak_minute (calls begun within any 60 s),
--             peak_block (numbers of one block of 100 called in an
--             hour), peak_run (consecutive numbers).
call_edges AS (
    SELECT account_id, started_at AS edge_at, 1 AS step FROM rated_calls WHERE is_outbound
    UNION ALL
    -- a call whose end is not known, or doubtful, is up at the instant it begins
    SELECT
        account_id,
        GREATEST(COALESCE(ended_at, started_at), started_at + INTERVAL 1 MICROSECOND),
        -1
    FROM rated_calls
    WHERE is_outbound
),
calls_up AS (
    -- at one instant ends come first: a call that begins as another ends does not overlap it
    SELECT
        account_id,
        SUM(step) OVER (
            PARTITION BY account_id ORDER BY edge_at, step ROWS UNBOUNDED PRECEDING
        ) AS up_count
    FROM call_edges
),
peak_overlap AS (
    SELECT account_id, MAX(up_count) AS peak FROM calls_up GROUP BY account_id
),
calls_in_minute AS (
    SELECT
        account_id,
        COUNT(*) OVER (
            PARTITION BY account_id ORDER BY started_at
            RANGE BETWEEN INTERVAL 59999999 MICROSECONDS PRECEDING AND CURRENT ROW
        ) AS call_count
    FROM rated_calls
    WHERE is_outbound
),
peak_minute AS (
    SELECT account_id, MAX(call_count) AS peak FROM calls_in_minute GROUP BY account_id
),
called_hours AS (
    SELECT DISTINCT
        account_id, EXTRACT(HOUR FROM started_at) AS utc_hour_h,
        TRY_CAST(SUBSTRING(callee_number, 2) AS BIGINT) AS digits
    FROM rated_calls
    WHERE is_outbound AND callee_number IS NOT NULL
),
blocks_called AS (
    SELECT account_id, COUNT(*) AS number_count
    FROM called_hours
    WHERE digits IS NOT NULL
    GROUP BY account_id, utc_hour_h, digits // 100
),
called AS (
    SELECT DISTINCT account_id, TRY_CAST(SUBSTRING(callee_number, 2) AS BIGINT) AS digits
    FROM rated_calls
    WHERE is_outbound AND callee_number IS NOT NULL
),
peak_block AS (
    SELECT account_id, MAX(number_count) AS peak FROM blocks_called GROUP BY account_id
),
run_members AS (
    -- within a run of consecutive numbers, number less rank is the same
    SELECT
        account_id,
        digits - ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY digits) AS run
    FROM called
    WHERE digits IS NOT NULL
),
runs AS (
    SELECT account_id, COUNT(*) AS number_count FROM run_members GROUP BY account_id, run
),
peak_run AS (
    SELECT account_id, MAX(number_count) AS peak FROM runs GROUP BY account_id
)

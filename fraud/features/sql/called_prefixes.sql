-- What the destination of a number called costs and risks.
-- Grain:      one row per number called that begins with a known prefix.
-- Needs:      day_calls, destination_risk (prefix, risk, usd_micro_per_min).
-- Result:     prefixed_numbers.
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
)

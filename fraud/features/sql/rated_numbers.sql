-- The numbers called with what their destination costs and risks, the operator's own lists included.
-- Grain:      one row per number called that begins with a known prefix.
-- Parameters: $since, $until (the day's first instant and the next day's).
-- Needs:      called_numbers, prefixed_numbers (of `called_prefixes`), lists.
-- Result:     rated_numbers.
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

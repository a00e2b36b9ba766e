-- Calls of accounts, each with what the signals look at, as `fraud.features` joins and rates them.
-- Grain: one row per account, UTC day, direction, source and call; legs of a call are joined.
-- Parameters: $accounts, list of (account_id, country, zone, opened_date); $since_date, $until_date,
--   UTC days (until is excluded).
-- Needs: destination_risk (prefix, risk, usd_micro_per_min), calls, lists; where a name
--   stands in angle brackets, the file of that name of `fraud/features/sql`.
-- Columns: account_id, call_date, days_ago (1 is the last day), opened_days (days since the account
--   was opened, may be negative), direction, started_at, end_at (UTC), caller, callee (number or
--   party), contact (the other of the two), contact_key (as in account_day_keys), caller_ip,
--   caller_ip_country, callee_country, home (the account's country), answered, failed, outcome,
--   forwarded, ring_ms, duration_ms (ms, null when not answered or doubtful), high_risk, elevated_risk, test_number, prefix, network, utc_hour,
--   is_weekend, local_hour, local_weekday (0 is Monday; null where the country is not known),
--   up_count (calls up when it began), minute_count (calls begun within 60 s up to it), block_of
--   and run_of (names of the block of 100 in its hour, and of the run of consecutive numbers of the
--   day, that the callee stands in).
asked AS (
    SELECT unnest($accounts, recursive := TRUE)
),
legs AS (
    SELECT
        account_id, call_date, source, direction, leg, outcome, forwarded_to, started_at, ring_ms,
        caller_ip, caller_ip_country, callee_country, callee_number, callee_number_type,
        coalesce(call_id, hex(record_id)) AS call_key,
        coalesce(caller_number, caller_party) AS caller,
        coalesce(callee_number, callee_party) AS callee,
        CASE WHEN NOT array_contains(flags, 'suspect_duration') THEN duration_ms END AS duration_ms,
        CASE WHEN NOT array_contains(flags, 'suspect_duration') THEN ended_at END AS ended_at,
        -- what no page shows
        NULL AS address_owner, NULL AS usd_micro, NULL AS ingested_at
    FROM calls
    SEMI JOIN asked USING (account_id)
    WHERE direction IN ('outbound', 'inbound')
        AND call_date >= $since_date AND call_date < $until_date
),
<JOINED_LEGS>,
<CALLED_PREFIXES>,
numbers AS (
    SELECT DISTINCT callee_number, call_date
    FROM day_calls
    WHERE direction = 'outbound' AND callee_number IS NOT NULL
),
listed AS (
    SELECT
        n.callee_number, n.call_date,
        bool_or(l.list = 'test_numbers' AND l.entry = n.callee_number) AS is_test,
        bool_or(l.list = 'high_risk_ranges') AS is_range
    FROM numbers AS n
    JOIN lists AS l
        ON l.list IN ('high_risk_ranges', 'test_numbers') AND starts_with(n.callee_number, l.entry)
        AND (l.valid_from IS NULL OR l.valid_from < n.call_date + 1)
        AND (l.valid_to IS NULL OR l.valid_to > n.call_date)
    GROUP BY n.callee_number, n.call_date
),
ends AS (
    SELECT
        *,
        greatest(coalesce(ended_at, started_at), started_at + INTERVAL 1 MICROSECOND) AS end_at,
        try_cast(substring(callee_number, 2) AS BIGINT) AS digits,
        extract(HOUR FROM started_at) AS utc_hour
    FROM day_calls
),
edges AS (
    SELECT account_id, call_date, direction, started_at AS edge_at, 1 AS step FROM ends
    UNION ALL
    SELECT account_id, call_date, direction, end_at, -1 FROM ends
),
up AS (
    -- at one instant ends come first: a call that begins as another ends does not overlap it
    SELECT account_id, call_date, direction, edge_at, step, sum(step) OVER (
        PARTITION BY account_id, call_date, direction ORDER BY edge_at, step
        ROWS UNBOUNDED PRECEDING
    ) AS up_count
    FROM edges
),
starts AS (
    SELECT account_id, call_date, direction, edge_at, max(up_count) AS up_count
    FROM up
    WHERE step = 1
    GROUP BY account_id, call_date, direction, edge_at
),
placed AS (
    SELECT
        e.*,
        (CAST(e.call_date AS TIMESTAMPTZ) + INTERVAL 1 HOUR * e.utc_hour) AT TIME ZONE a.zone
            AS local_at,
        a.country AS home,
        date_diff('day', a.opened_date, e.call_date) AS opened_days,
        count(*) OVER (
            PARTITION BY e.account_id, e.call_date, e.direction ORDER BY e.started_at
            RANGE BETWEEN INTERVAL 59999999 MICROSECONDS PRECEDING AND CURRENT ROW
        ) AS minute_count,
        -- within a run of consecutive numbers, number less rank is the same
        e.digits - dense_rank() OVER (
            PARTITION BY e.account_id, e.call_date, e.direction ORDER BY e.digits
        ) AS run
    FROM ends AS e
    JOIN asked AS a ON a.account_id = e.account_id
)
SELECT
    c.account_id, c.call_date, c.direction, c.started_at, c.end_at, c.opened_days, c.home,
    date_diff('day', c.call_date, $until_date) AS days_ago,
    c.caller, c.callee,
    CASE c.direction WHEN 'outbound' THEN c.callee ELSE c.caller END AS contact,
    left(md5(CASE c.direction WHEN 'outbound' THEN c.callee ELSE c.caller END), 12) AS contact_key,
    c.caller_ip, c.caller_ip_country, c.callee_country,
    c.answered, c.failed, c.outcome, c.forwarded, c.ring_ms, c.duration_ms,
    coalesce(
        p.risk IN ('satellite', 'premium', 'high') OR (p.risk IS NOT NULL AND l.is_range)
        OR c.callee_number_type IN ('satellite', 'premium', 'premium_rate'),
        FALSE
    ) AS high_risk,
    coalesce(p.risk = 'elevated', FALSE) AS elevated_risk,
    coalesce(p.risk IS NOT NULL AND l.is_test, FALSE) AS test_number,
    left(c.callee_number, 6) AS prefix,
    -- /24 of an IPv4 address, /48 of an IPv6 address written without a gap before it
    CASE
        WHEN c.caller_ip LIKE '%:%' THEN coalesce(
            nullif(regexp_extract(c.caller_ip, '^[0-9a-f]+:[0-9a-f]+:[0-9a-f]+', 0), ''),
            c.caller_ip
        )
        ELSE regexp_replace(c.caller_ip, '[.][0-9]+$', '')
    END AS network,
    c.utc_hour,
    date_diff('day', DATE '1970-01-05', c.call_date) % 7 >= 5 AS is_weekend,
    extract(HOUR FROM c.local_at) AS local_hour,
    date_diff('day', DATE '1970-01-05', CAST(c.local_at AS DATE)) % 7 AS local_weekday,
    s.up_count, c.minute_count,
    c.call_date || ' ' || c.utc_hour || ' ' || c.digits // 100 AS block_of,
    c.call_date || ' ' || c.run AS run_of
FROM placed AS c
JOIN starts AS s
    ON s.account_id = c.account_id AND s.call_date = c.call_date AND s.direction = c.direction
    AND s.edge_at = c.started_at
LEFT JOIN prefixed_numbers AS p ON c.direction = 'outbound' AND p.callee_number = c.callee_number
LEFT JOIN listed AS l
    ON c.direction = 'outbound' AND l.callee_number = c.callee_number AND l.call_date = c.call_date
ORDER BY c.account_id, c.started_at DESC, contact

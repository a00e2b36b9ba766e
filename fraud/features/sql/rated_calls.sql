-- A day's calls with what they cost and risk, and the keys that stand for people.
-- Grain:      one row per row of day_calls.
-- Needs:      day_calls, rated_numbers.
-- Result:     what `day_sums` and `day_keys` read; kept in the session as `rated_calls`.
SELECT
    c.account_id, c.leg_count, c.newest_ingested_at, c.started_at, c.ended_at, c.answered,
    c.failed, c.ring_ms, c.duration_ms, c.forwarded, c.callee_number, c.callee_country,
    c.caller_ip_country,
    c.direction = 'outbound' AS is_outbound,
    c.direction = 'inbound' AS is_inbound,
    COALESCE(
        r.high_risk OR c.callee_number_type IN ('satellite', 'premium', 'premium_rate'), FALSE
    ) AS high_risk,
    COALESCE(r.elevated_risk, FALSE) AS elevated_risk,
    COALESCE(r.test_number, FALSE) AS test_number,
    COALESCE(c.usd_micro * 60000, c.duration_ms * r.usd_micro_per_min, 0)
        AS usd_micro_ms_per_min,
    LEFT(MD5(c.callee), 12) AS callee_key,
    LEFT(MD5(c.caller), 12) AS caller_key,
    LEFT(MD5(c.address_owner || c.caller_ip), 12) AS address_key,
    -- /24 of an IPv4 address, /48 of an IPv6 address written without a gap before it
    LEFT(MD5(c.address_owner || CASE
        WHEN c.caller_ip LIKE '%:%' THEN COALESCE(
            NULLIF(REGEXP_EXTRACT(c.caller_ip, '^[0-9a-f]+:[0-9a-f]+:[0-9a-f]+', 0), ''),
            c.caller_ip
        )
        ELSE REGEXP_REPLACE(c.caller_ip, '[.][0-9]+$', '')
    END), 12) AS network_key
FROM day_calls AS c
LEFT JOIN rated_numbers AS r ON c.direction = 'outbound' AND r.callee_number = c.callee_number

-- The legs of one day with what each cost.
-- Grain:      one row per leg of an account.
-- Parameters: $day (UTC day).
-- Needs:      calls, leg_costs (record_id, usd_micro: null where no rate is known).
-- Result:     legs, for `joined_legs`.
legs AS (
    SELECT
        account_id, call_date, direction, source, leg, started_at, ring_ms, outcome, forwarded_to,
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
)

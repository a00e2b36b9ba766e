-- Whom accounts called and who called them, from which IP addresses, and for which midnights it
-- counts.
-- Grain:      one row per account, kind, key, day and direction.
-- Needs:      window_keys.
-- Result:     kind, key (48 bits of MD5, in hex), call_count (null but for numbers); first_date and
--             last_date, the midnights at which it is seen: 30 after a use.
SELECT
    account_id,
    CASE WHEN kind IN ('callee', 'caller') THEN 'number' ELSE 'ip' END AS kind,
    key, CASE WHEN kind <> 'address' THEN call_count END AS call_count,
    call_date + 1 AS first_date, call_date + 30 AS last_date
FROM window_keys
WHERE kind IN ('callee', 'caller', 'address')

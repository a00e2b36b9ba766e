-- Numbers that rang many accounts briefly in the last week, as `mass_ringers` of the signals.
-- Grain: one row per number.
-- Parameters: $since_date, $until_date, UTC days (until is excluded); $left_out, accounts that may
--   not be used; $most, accounts from which on it is many.
-- Columns: key (hash).
SELECT key
FROM account_day_keys
WHERE kind = 'caller' AND brief_ring_count > 0
    AND call_date >= $since_date AND call_date < $until_date
    AND NOT array_contains(CAST($left_out AS VARCHAR[]), account_id)
GROUP BY key
HAVING count(DISTINCT account_id) >= $most

-- What events showed of accounts before a midnight: devices, means of payment, addresses, other ends.
-- Grain:      one row per account, key and value.
-- Needs:      account_events.
-- Parameters: $as_of (UTC instant), $since (first instant looked at), $blocked (accounts of which all
--             events count: a blocked account has no new ones).
-- Result:     key (as in normalise.KEYS), value as given.
SELECT DISTINCT e.account_id, v.key, v.value
FROM account_events AS e
CROSS JOIN LATERAL (
    VALUES
        ('devices', e.device),
        ('payment_fingerprint', e.payment_fingerprint),
        ('signup_ip', e.ip),
        ('counterparts', e.counterpart)
) AS v(key, value)
WHERE e.at < $as_of
  AND (e.at >= $since OR ARRAY_CONTAINS(CAST($blocked AS VARCHAR[]), e.account_id))
  AND v.value IS NOT NULL
ORDER BY e.account_id, v.key, v.value

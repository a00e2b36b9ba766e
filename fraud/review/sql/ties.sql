-- What an account has in common with blocked ones, as the signals see it.
-- Grain: one row per account, blocked account, hop, kind and key; the first hop first.
-- Needs: subjects, shared_traces, account_day_keys.
-- Columns: account_id, blocked_id, hop (1 or 2), kind (as blocked_traces), key (hash), template
--   keys are those of ``texts.sql`` hashed again; called, calling, used (whether a number was
--   called, or called it, and an address was called from, within 30 days).
SELECT
    t.account_id, t.blocked_id, t.hop, t.kind, t.key,
    coalesce(k.called, FALSE) AS called,
    coalesce(k.calling, FALSE) AS calling,
    coalesce(k.used, FALSE) AS used
FROM shared_traces AS t
LEFT JOIN (
    SELECT
        account_id, key,
        bool_or(kind = 'callee') AS called,
        bool_or(kind = 'caller') AS calling,
        bool_or(kind = 'address') AS used
    FROM account_day_keys
    WHERE kind IN ('callee', 'caller', 'address')
        AND call_date >= $first_date AND call_date < $until_date
    GROUP BY account_id, key
) AS k ON k.account_id = t.account_id AND k.key = t.key
ORDER BY t.account_id, t.hop, t.kind, t.key, t.blocked_id

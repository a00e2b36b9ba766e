-- What accounts share with accounts that were blocked by their midnight.
-- Grain:      one row per account, midnight, blocked account, hop, kind and key.
-- Needs:      links, blocks, blocked_traces.
-- Result:     call_share (of the blocked account's decayed calls) and decayed_nano (of the other's
--             own), null where the key is not from calls; tie: one divided by the accounts that had
--             the key, times that of the first hop on the second.
SELECT
    l.account_id, l.as_of_date, t.account_id AS blocked_id, t.hop, l.kind, l.key,
    MAX(t.call_share) AS call_share,
    MAX(l.decayed_nano) AS decayed_nano,
    MAX(t.closeness / t.holder_count) AS tie
FROM links AS l
JOIN blocked_traces AS t ON t.kind = l.kind AND t.key = l.key
JOIN blocks AS b
    ON b.account_id = t.account_id AND b.trace_date = t.trace_date
    AND b.known_date <= l.known_before_date
    AND (b.until_date IS NULL OR b.until_date >= l.as_of_date)
WHERE t.account_id <> l.account_id AND (t.via_id IS NULL OR t.via_id <> l.account_id)
GROUP BY l.account_id, l.as_of_date, t.account_id, t.hop, l.kind, l.key

-- Blocked accounts that an account is tied to, and what could have tied it.
-- Grain:      one row per account, midnight and blocked account it shares a trace with; and one more
--             for each account, with blocked_id null, once anybody is known to be blocked.
-- Needs:      subjects, blocks, call_mass, details_known, shared_traces.
-- Result:     on the rows of pairs: dice and hellinger, the overlap of contacts 0..1; ties of the
--             first hop by kind, and of the second; null where there is none. On the others:
--             call_count, device_count and so on: what the account has to compare.
SELECT
    t.account_id, t.as_of_date, t.blocked_id,
    SUM(CASE WHEN t.hop = 1 THEN t.call_share + t.decayed_nano / m.mass_nano END) / 2 AS dice,
    SUM(CASE WHEN t.hop = 1 THEN SQRT(t.call_share * (t.decayed_nano / m.mass_nano)) END)
        AS hellinger,
    SUM(t.tie) FILTER (WHERE t.hop = 1) AS one_hop_tie,
    SUM(t.tie) FILTER (WHERE t.hop = 2) AS two_hop_tie,
    COUNT(*) FILTER (WHERE t.hop = 1 AND t.kind = 'number') AS shared_number_count,
    COUNT(*) FILTER (WHERE t.hop = 1 AND t.kind = 'device') AS shared_device_count,
    COUNT(*) FILTER (WHERE t.hop = 1 AND t.kind = 'payment') AS shared_payment_count,
    COUNT(*) FILTER (WHERE t.hop = 1 AND t.kind = 'postal') AS shared_postal_count,
    COUNT(*) FILTER (WHERE t.hop = 1 AND t.kind = 'ip') AS shared_ip_count,
    COUNT(*) FILTER (WHERE t.hop = 1 AND t.kind = 'template') AS shared_template_count,
    NULL AS call_count, NULL AS device_count, NULL AS payment_count, NULL AS postal_count,
    NULL AS ip_count, NULL AS detail_count
FROM shared_traces AS t
LEFT JOIN call_mass AS m ON m.account_id = t.account_id AND m.as_of_date = t.as_of_date
GROUP BY t.account_id, t.as_of_date, t.blocked_id
UNION ALL
SELECT
    s.account_id, s.as_of_date, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    m.call_count, d.device_count, d.payment_count, d.postal_count, d.ip_count, d.detail_count
FROM subjects AS s
CROSS JOIN (SELECT MIN(known_date) AS first_known_date FROM blocks) AS f
LEFT JOIN call_mass AS m ON m.account_id = s.account_id AND m.as_of_date = s.as_of_date
LEFT JOIN details_known AS d ON d.account_id = s.account_id AND d.as_of_date = s.as_of_date
WHERE f.first_known_date <= s.known_before_date

-- The texts of the window, and which of their templates blocked accounts sent too.
-- Grain:      one row per account, midnight and template, once anybody is known to be blocked.
-- Needs:      messages, subjects, blocks, shared_traces.
-- Result:     text_count_30d; tie: how likely one of those who send it was blocked, 0..1; 0 where
--             nobody else who sends it was.
SELECT
    m.account_id, m.as_of_date, m.template_hash, m.text_count_30d,
    LEAST(COALESCE(t.tie, 0), 1) AS tie
FROM messages AS m
JOIN subjects AS s ON s.account_id = m.account_id AND s.as_of_date = m.as_of_date
CROSS JOIN (SELECT MIN(known_date) AS first_known_date FROM blocks) AS f
LEFT JOIN (
    SELECT account_id, as_of_date, key, SUM(tie) AS tie
    FROM shared_traces
    WHERE hop = 1 AND kind = 'template'
    GROUP BY account_id, as_of_date, key
) AS t
    ON t.account_id = m.account_id AND t.as_of_date = m.as_of_date
    AND t.key = LEFT(MD5(m.template_hash), 12)
WHERE f.first_known_date <= s.known_before_date

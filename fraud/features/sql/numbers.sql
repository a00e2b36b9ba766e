-- The numbers held at some time of the day before the midnight. An account loses its numbers when it
-- is blocked: asked at the midnight alone, every blocked account would hold none, and that would be
-- the label, not a signal.
-- Grain:      one row per account, midnight and number.
-- Result:     is_new (held for seven days or less; null where the start is unknown).
SELECT
    s.account_id, s.as_of_date, n.number,
    BOOL_OR(n.valid_from >= s.as_of - INTERVAL 7 DAY) AS is_new
FROM subjects AS s
JOIN account_numbers AS n
    ON n.account_id = s.account_id
    AND (n.valid_from IS NULL OR n.valid_from < s.as_of)
    AND (n.valid_to IS NULL OR n.valid_to > s.as_of - INTERVAL 1 DAY)
GROUP BY s.account_id, s.as_of_date, n.number

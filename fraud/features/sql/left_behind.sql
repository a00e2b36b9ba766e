-- What blocked accounts left behind, of any of them.
-- Grain:      one row per kind and key.
-- Result:     kind, key.
SELECT DISTINCT kind, key
FROM blocked_traces

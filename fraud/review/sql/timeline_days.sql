-- Grain: one row per UTC day with calls.
-- Parameters: $account_id; $since_date, $until_date, UTC days (until is excluded).
-- Columns: day, outbound_count, inbound_count (legs).
SELECT
    call_date AS day,
    count(*) FILTER (WHERE direction = 'outbound') AS outbound_count,
    count(*) FILTER (WHERE direction <> 'outbound') AS inbound_count
FROM calls
WHERE account_id = $account_id AND call_date >= $since_date AND call_date < $until_date
GROUP BY call_date
ORDER BY call_date

-- Grain: one row per UTC day and hour with calls.
-- Parameters: $account_id; $since_date, $until_date, UTC days (until is excluded).
-- Columns: day, hour (0..23), outbound_count, inbound_count (legs).
SELECT
    call_date AS day,
    hour(started_at) AS hour,
    count(*) FILTER (WHERE direction = 'outbound') AS outbound_count,
    count(*) FILTER (WHERE direction <> 'outbound') AS inbound_count
FROM calls
WHERE account_id = $account_id AND call_date >= $since_date AND call_date < $until_date
GROUP BY ALL
ORDER BY ALL

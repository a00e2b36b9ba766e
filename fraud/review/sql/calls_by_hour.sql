-- Grain: one row per weekday and hour (UTC) with calls made.
-- Parameters: $account_id; $since, $as_of, UTC instants; $since_date, $until_date, the UTC days
--   of these, for pruning (until is excluded).
-- Columns: weekday (1 Monday to 7 Sunday), hour (0..23), call_count (legs).
SELECT
    isodow(started_at) AS weekday,
    hour(started_at) AS hour,
    count(*) AS call_count
FROM calls
WHERE account_id = $account_id AND direction = 'outbound'
    AND call_date >= $since_date AND call_date < $until_date
    AND started_at >= $since AND started_at < $as_of
GROUP BY ALL
ORDER BY ALL

-- Where to cut accounts into as few slices as may be, with about as many keys of the window each.
-- Grain:      one row per slice but the first.
-- Parameters: $first_date, $until_date bound the days read, for pruning; $keys_at_once, how many a
--             slice may have, but that an account is not split.
-- Result:     account_id, the first one of the slice, in order.
SELECT MIN(account_id) AS account_id
FROM (
    SELECT
        account_id,
        FLOOR(key_count_before * CEIL(key_count_in_all / $keys_at_once) / key_count_in_all) AS slice
    FROM (
        SELECT
            account_id,
            SUM(key_count) OVER (ORDER BY account_id) - key_count AS key_count_before,
            SUM(key_count) OVER () AS key_count_in_all
        FROM (
            SELECT account_id, COUNT(*) AS key_count
            FROM account_day_keys
            WHERE call_date >= $first_date AND call_date < $until_date
            GROUP BY account_id
        ) AS counted
    ) AS summed
) AS cut
WHERE slice > 0
GROUP BY slice
ORDER BY account_id

-- Numbers that rang many accounts briefly, as call-back fraud does.
-- Grain:      one row per midnight and number, once ten accounts or more heard it.
-- Needs:      scored, account_day_keys.
-- Parameters: $first_date, $until_date bound the days read, for pruning; $left_out (accounts that
--             may not be used).
-- Result:     rung_count: accounts it rang for 5 s or less in the 7 days before.
SELECT d.as_of_date, k.key, COUNT(DISTINCT k.account_id) AS rung_count
FROM (SELECT DISTINCT as_of_date FROM scored) AS d
JOIN account_day_keys AS k
    ON k.call_date >= d.as_of_date - 7 AND k.call_date < d.as_of_date
WHERE k.kind = 'caller' AND k.brief_ring_count > 0
    AND k.call_date >= $first_date AND k.call_date < $until_date
    AND NOT ARRAY_CONTAINS(CAST($left_out AS VARCHAR[]), k.account_id)
GROUP BY d.as_of_date, k.key
HAVING COUNT(DISTINCT k.account_id) >= <MASS_ACCOUNTS>

-- How often names of accounts that have nothing to do with each other are near: the u
-- probability of that level, from pairs drawn by a hash, so that it can be repeated.
-- Grain:      one row.
-- Needs:      names (account_id, name).
-- Parameters: $seed, $near (Jaro-Winkler similarity), $sample_count (accounts a side).
-- Result:     near_count and pair_count (pairs of accounts with different names).
WITH drawn AS (
    SELECT
        name,
        ROW_NUMBER() OVER (ORDER BY hash(account_id || ':' || $seed), account_id) AS place
    FROM names
)
SELECT
    COUNT(*) FILTER (WHERE jaro_winkler_similarity(l.name, r.name) >= $near) AS near_count,
    COUNT(*) AS pair_count
FROM drawn AS l
JOIN drawn AS r
  ON l.place % 2 = 0
 AND r.place % 2 = 1
 AND l.place <= 2 * $sample_count
 AND r.place <= 2 * $sample_count
 AND l.name <> r.name

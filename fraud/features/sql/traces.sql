-- What blocked accounts leave behind: what they had at the midnight after their block, and what
-- accounts close to them had.
-- Grain:      one row per blocked account, hop, kind, key and account in between.
-- Needs:      scored (blocked accounts at those midnights), sightings, call_mass.
-- Parameters: $most_holders (accounts that may have a key; more make it a hub), $close_holders (the
--             same for a key that leads on to a second hop), $top_count (contacts kept of each),
--             $far_count (keys kept of each account in between, details first).
-- Result:     the columns of blocked_traces.
own AS (
    SELECT
        s.account_id, s.as_of_date AS trace_date, g.kind, g.key,
        SUM(g.call_count * CAST(ROUND(POWER(0.85, DATE_DIFF('day', g.first_date, s.as_of_date))
            * 1000000000) AS BIGINT)) AS decayed_nano
    FROM scored AS s
    JOIN sightings AS g
        ON g.account_id = s.account_id
        AND g.first_date <= s.as_of_date AND g.last_date >= s.as_of_date
    GROUP BY s.account_id, s.as_of_date, g.kind, g.key
),
ranked AS (
    SELECT
        *,
        ROW_NUMBER() OVER (
            PARTITION BY account_id, trace_date, decayed_nano IS NULL
            ORDER BY decayed_nano DESC, kind, key
        ) AS place
    FROM own
),
signatures AS (
    SELECT account_id, trace_date, kind, key, decayed_nano
    FROM ranked
    WHERE decayed_nano IS NULL OR place <= $top_count
),
held AS (
    -- everybody who had one of these keys then
    SELECT o.trace_date, o.kind, o.key, g.account_id
    FROM (SELECT DISTINCT trace_date, kind, key FROM signatures) AS o
    JOIN sightings AS g
        ON g.kind = o.kind AND g.key = o.key
        AND g.first_date <= o.trace_date AND g.last_date >= o.trace_date
    GROUP BY o.trace_date, o.kind, o.key, g.account_id
),
holders AS (
    SELECT trace_date, kind, key, COUNT(*) AS holder_count
    FROM held
    GROUP BY trace_date, kind, key
),
close_to AS (
    -- accounts that share with a blocked one what few have
    SELECT
        o.account_id, o.trace_date, h.account_id AS via_id,
        MAX(CAST(1 AS DOUBLE) / n.holder_count) AS closeness
    FROM signatures AS o
    JOIN holders AS n ON n.trace_date = o.trace_date AND n.kind = o.kind AND n.key = o.key
    JOIN held AS h ON h.trace_date = o.trace_date AND h.kind = o.kind AND h.key = o.key
    WHERE n.holder_count <= $close_holders AND h.account_id <> o.account_id
        AND NOT ARRAY_CONTAINS(CAST($left_out AS VARCHAR[]), h.account_id)
    GROUP BY o.account_id, o.trace_date, h.account_id
),
farther AS (
    SELECT
        c.account_id, c.trace_date, c.via_id, c.closeness, g.kind, g.key,
        SUM(g.call_count) AS call_count
    FROM close_to AS c
    JOIN sightings AS g
        ON g.account_id = c.via_id
        AND g.first_date <= c.trace_date AND g.last_date >= c.trace_date
    LEFT JOIN own AS o
        ON o.account_id = c.account_id AND o.trace_date = c.trace_date
        AND o.kind = g.kind AND o.key = g.key
    WHERE o.key IS NULL
    GROUP BY c.account_id, c.trace_date, c.via_id, c.closeness, g.kind, g.key
),
farther_holders AS (
    SELECT o.trace_date, o.kind, o.key, COUNT(DISTINCT g.account_id) AS holder_count
    FROM (SELECT DISTINCT trace_date, kind, key FROM farther) AS o
    JOIN sightings AS g
        ON g.kind = o.kind AND g.key = o.key
        AND g.first_date <= o.trace_date AND g.last_date >= o.trace_date
    GROUP BY o.trace_date, o.kind, o.key
),
far_ranked AS (
    SELECT
        f.account_id, f.trace_date, f.via_id, f.closeness, f.kind, f.key, n.holder_count,
        ROW_NUMBER() OVER (
            PARTITION BY f.account_id, f.trace_date, f.via_id
            ORDER BY f.call_count IS NOT NULL, f.call_count DESC, f.kind, f.key
        ) AS place
    FROM farther AS f
    JOIN farther_holders AS n
        ON n.trace_date = f.trace_date AND n.kind = f.kind AND n.key = f.key
    WHERE n.holder_count <= $close_holders
),
traces AS (
    SELECT
        o.account_id, o.trace_date, 1 AS hop, o.kind, o.key, NULL AS via_id,
        o.decayed_nano / m.mass_nano AS call_share,
        n.holder_count,
        CAST(1 AS DOUBLE) AS closeness
    FROM signatures AS o
    JOIN holders AS n ON n.trace_date = o.trace_date AND n.kind = o.kind AND n.key = o.key
    LEFT JOIN call_mass AS m ON m.account_id = o.account_id AND m.as_of_date = o.trace_date
    WHERE n.holder_count <= $most_holders
    UNION ALL
    SELECT account_id, trace_date, 2, kind, key, via_id, NULL, holder_count, closeness
    FROM far_ranked
    WHERE place <= $far_count
    UNION ALL
    -- tells that an account was looked at, also where it left nothing
    SELECT account_id, as_of_date, 0, 'taken', '', NULL, NULL, 0, 0 FROM scored
)

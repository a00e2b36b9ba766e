-- What the clock on the wall shows, worked out once for each zone and hour.
-- Grain:      one row per zone of any account, day with calls and UTC hour.
-- Needs:      subjects, window_days.
-- Result:     is_night (from 20 to 6 o'clock), is_weekend (from Friday 20 to Monday 6 o'clock).
SELECT
    zone, call_date, utc_hour_h,
    local_hour_h >= 20 OR local_hour_h < 6 AS is_night,
    (local_weekday = 4 AND local_hour_h >= 20) OR local_weekday >= 5
        OR (local_weekday = 0 AND local_hour_h < 6) AS is_weekend
FROM (
    SELECT
        zone, call_date, utc_hour_h,
        EXTRACT(HOUR FROM local_at) AS local_hour_h,
        DATE_DIFF('day', DATE '1970-01-05', CAST(local_at AS DATE)) % 7 AS local_weekday
    FROM (
        SELECT
            z.zone, d.call_date, h.utc_hour_h,
            (CAST(d.call_date AS TIMESTAMPTZ) + INTERVAL 1 HOUR * h.utc_hour_h)
                AT TIME ZONE z.zone AS local_at
        FROM (SELECT DISTINCT zone FROM subjects WHERE zone IS NOT NULL) AS z
        CROSS JOIN (SELECT DISTINCT call_date FROM window_days) AS d
        CROSS JOIN (
            VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11),
                (12), (13), (14), (15), (16), (17), (18), (19), (20), (21), (22), (23)
        ) AS h(utc_hour_h)
    ) AS wall_clocks
) AS local_times

-- What the clock on the wall shows, worked out once for each zone and hour.
-- Grain:      one row per zone, day and UTC hour in which any account called.
-- Needs:      hour_keys.
-- Result:     local_at (wall clock).
SELECT
    zone, call_date, utc_hour_h,
    (CAST(call_date AS TIMESTAMPTZ) + INTERVAL 1 HOUR * utc_hour_h) AT TIME ZONE zone AS local_at
FROM (SELECT DISTINCT zone, call_date, utc_hour_h FROM hour_keys WHERE zone IS NOT NULL) AS seen

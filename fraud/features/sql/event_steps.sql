-- The account's events, each with what came before it.
-- Grain:      one row per account, midnight and event.
-- Needs:      events.
-- Result:     columns of events; previous_country and previous_at of the last event before it whose
--             country is known; new_device_at, when a device was last used for the first time though
--             there had been events before (null: never).
SELECT
    f.*,
    LAST_VALUE(f.ip_country IGNORE NULLS) OVER before_it AS previous_country,
    LAST_VALUE(CASE WHEN f.ip_country IS NOT NULL THEN f.happened_at END IGNORE NULLS) OVER before_it
        AS previous_at,
    MAX(CASE WHEN f.happened_at = f.device_first_at AND f.happened_at > f.first_at THEN f.happened_at END) OVER (
        PARTITION BY f.account_id, f.as_of_date ORDER BY f.happened_at
        RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS new_device_at
FROM (
    SELECT
        *,
        MIN(happened_at) OVER (PARTITION BY account_id, as_of_date) AS first_at,
        CASE
            WHEN device IS NOT NULL
            THEN MIN(happened_at) OVER (PARTITION BY account_id, as_of_date, device)
        END AS device_first_at
    FROM events
) AS f
WINDOW before_it AS (
    PARTITION BY f.account_id, f.as_of_date ORDER BY f.happened_at, f.kind, f.ip
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
)

-- What accounts had besides calls: their own numbers, IP addresses, devices, means of payment, postal
-- addresses, mail domains, templates; and for which midnights it counts.
-- Grain:      one row per account, kind, key, day or period, and where it was seen.
-- Parameters: $first_date, $until_date bound the days read, for pruning.
-- Needs:      account_numbers, message_templates, detail_periods, event_values.
-- Result:     as call_sightings; a detail is seen at all midnights at which it stands. Private
--             addresses are left out: strangers share them. A number given back counts for a day
--             more: an account loses its numbers when it is blocked.
SELECT
    account_id, kind, LEFT(MD5(value), 12) AS key, CAST(NULL AS BIGINT) AS call_count,
    first_date, last_date
FROM (
    SELECT
        account_id, 'number' AS kind, number AS value,
        COALESCE(CAST(valid_from - INTERVAL 1 MICROSECOND AS DATE) + 1, DATE '1970-01-01')
            AS first_date,
        COALESCE(CAST(valid_to - INTERVAL 1 MICROSECOND AS DATE) + 1, DATE '9999-12-31')
            AS last_date
    FROM account_numbers
    UNION ALL
    SELECT account_id, kind, value, first_date, last_date FROM detail_periods
    UNION ALL
    SELECT account_id, kind, value, event_date + 1, event_date + 30 FROM event_values
    UNION ALL
    SELECT account_id, 'template', template_hash, message_date + 1, message_date + 30
    FROM message_templates
    WHERE message_date >= $first_date AND message_date < $until_date
) AS from_details
WHERE value <> '' AND NOT (kind = 'ip' AND REGEXP_MATCHES(value, '<PRIVATE_ADDRESS>'))

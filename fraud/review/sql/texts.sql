-- Grain: one row per account, UTC day and template of the texts it sent, the newest first.
-- Parameters: $accounts, list of account_id; $since_date, $until_date, UTC days (until is excluded).
-- Columns: account_id, day, days_ago (1 is the last day), template (hash), text_count, link_count,
--   listed_link_count (texts; null where nothing was listed), counterpart_count (numbers).
SELECT
    account_id, message_date AS day, date_diff('day', message_date, $until_date) AS days_ago,
    template_hash AS template, text_count, link_count, listed_link_count, counterpart_count
FROM message_templates
SEMI JOIN (SELECT unnest($accounts::VARCHAR[]) AS account_id) AS asked USING (account_id)
WHERE message_date >= $since_date AND message_date < $until_date
ORDER BY account_id, day DESC, text_count DESC, template

-- The texts of the window, by template.
-- Grain:      one row per account, midnight and template.
-- Parameters: $first_date, $until_date bound the days read, for pruning.
-- Result:     texts, texts with a link, with one to a listed domain (null: nothing was listed) and
--             numbers written to, within 1, 7 and 30 days. A number written to on two days counts
--             on each.
SELECT
    s.account_id, s.as_of_date, m.template_hash,
    SUM(m.text_count) FILTER (WHERE m.message_date >= s.as_of_date - 1) AS text_count_1d,
    SUM(m.text_count) FILTER (WHERE m.message_date >= s.as_of_date - 7) AS text_count_7d,
    SUM(m.text_count) AS text_count_30d,
    SUM(m.link_count) FILTER (WHERE m.message_date >= s.as_of_date - 7) AS link_count_7d,
    SUM(m.link_count) AS link_count_30d,
    SUM(m.listed_link_count) FILTER (WHERE m.message_date >= s.as_of_date - 7)
        AS listed_link_count_7d,
    SUM(m.listed_link_count) AS listed_link_count_30d,
    SUM(m.counterpart_count) FILTER (WHERE m.message_date >= s.as_of_date - 7)
        AS counterpart_count_7d,
    SUM(m.counterpart_count) AS counterpart_count_30d
FROM subjects AS s
JOIN message_templates AS m
    ON m.account_id = s.account_id
    AND m.message_date >= s.as_of_date - 30 AND m.message_date < s.as_of_date
WHERE m.message_date >= $first_date AND m.message_date < $until_date
GROUP BY s.account_id, s.as_of_date, m.template_hash

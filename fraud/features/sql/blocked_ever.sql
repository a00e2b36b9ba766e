-- Every block for fraud or misuse.
-- Grain:      one row per account and midnight after a block.
-- Needs:      blocks.
-- Result:     account_id, trace_date.
SELECT DISTINCT account_id, trace_date
FROM blocks
ORDER BY trace_date, account_id

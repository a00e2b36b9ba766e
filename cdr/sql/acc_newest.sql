-- The newest row of a proxy's table of transactions.
-- Grain: one row. Parameters: none. Columns: id (0 where the table is empty).
SELECT COALESCE(MAX(id), 0) FROM {table}

-- Accounting rows of a proxy that were not taken yet, with all rows of the same calls.
-- Grain: one row of the table of transactions (`acc` of Kamailio or OpenSIPS).
-- Parameters: after, until (ids, the first excluded and the last included).
-- Columns: those the table has; `id` rises with arrival, `callid` names the call.
-- {table} is the quoted name of the table, which no database takes as a parameter.
SELECT *
FROM {table}
WHERE (id > %(after)s AND id <= %(until)s)
   OR (
       id <= %(after)s
       AND callid IN (SELECT callid FROM {table} WHERE id > %(after)s AND id <= %(until)s)
   )
ORDER BY id

-- What legs cost by the operator's deck of costs; nothing where there is none.
-- Grain:      one row per leg.
-- Needs:      priced_legs.
-- Result:     record_id, usd_micro (millionths of a US dollar, null where there is no rate).
SELECT record_id, usd_micro FROM priced_legs

-- All that accounts had, from calls and besides.
-- Grain:      as of its two parts.
-- Needs:      call_sightings, detail_sightings.
-- Result:     as of its two parts.
SELECT * FROM call_sightings
UNION ALL
SELECT * FROM detail_sightings

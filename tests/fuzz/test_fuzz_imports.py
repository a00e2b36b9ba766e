"""Whatever else takes a file in, on damaged ones, as `test_fuzz_readers` does readers.

The importers of the operator's files, rate decks, and what bills are compared with.
"""

from __future__ import annotations

import random
import resource
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_fuzz_readers import FILE_S, LEAST_FILES, MEMORY_BYTES, SECONDS, SEED, damaged, stands

import cdr
from cdr.billing.carrier import reconcile_carrier
from cdr.billing.decks import import_deck
from cdr.billing.switch_totals import reconcile_switch
from cdr.errors import CdrError
from pipelines.inbox import IMPORTS

NOW = datetime(2026, 11, 1, tzinfo=UTC)
AT = "2026-09-01T10:00:00Z"
STARTS = {
    "accounts": (
        "account_id,created_at,name,email,phone,address,country,id_document,social,"
        "payment_fingerprint,devices,signup_ip,forward_to,plan,status,status_since,status_reason\n"
        f'a1,{AT},"Ada, L",a@b.example,+49301234567,x 1,DE,P1,@a,f1;f2,d1;d2,192.0.2.1,'
        f"+442079460001,office,blocked,{AT},fraud\n"
    ),
    "account_numbers": f"account_id,number,valid_from,valid_to\na1,+49301234567,{AT},\n",
    "account_events": (
        "account_id,at,kind,ip,device,payment_fingerprint,amount,currency,counterpart,detail\n"
        f"a1,{AT},payment,2001:db8::1,d1,f1,12.50,EUR,+442079460001,=cmd()\n"
    ),
    "messages": f'account_id,at,counterpart,text\na1,{AT},+442079460001,"win http://x.example 1"\n',
    "lists": f"list,entry,detail,valid_from,valid_to\ntest_numbers,+442079460001,x,{AT},\n",
    "rate_deck": (
        "prefix,destination,rate_per_min,connect_fee,min_s,increment_s,currency,valid_from,"
        "valid_to\n+44,UK,0.0120,0.01,1,60,EUR,2026-01-01,2026-12-31\n49,DE,1,,,,USD,,\n"
    ),
    "carrier_calls": (
        "callee,started_at,duration_s,amount,currency\n"
        "+442079460001,2026-09-01 10:00:00,61,0.0120,EUR\n"
    ),
    "switch_totals": "date,source,calls,duration_s\n2026-09-01,pbx,12,3600.5\n",
}


def take(lake: cdr.Lake, stem: str, file: Path) -> None:
    """Take a file in; where rows are counted, none is lost."""
    if stem == "rate_deck":
        import_deck(lake, file, name="retail", settings=lake.settings.billing, now=NOW)
    elif stem == "carrier_calls":
        reconcile_carrier(lake, file, deck="retail", zone="Europe/Berlin")
    elif stem == "switch_totals":
        reconcile_switch(lake, file, zone="Europe/Berlin")
    else:
        report = IMPORTS[stem](lake, file, now=NOW)
        counts = (report.accepted, report.duplicate, report.corrected, report.rejected)
        assert report.read == sum(counts)


def fuzz(stem: str) -> None:
    """Take in damaged files until the time is over; every end but a fault of ours is one."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    draw, start = random.Random(f"{SEED}{stem}"), STARTS[stem].encode()
    done, until = 0, time.monotonic() + SECONDS
    with tempfile.TemporaryDirectory() as folder:
        lake = cdr.open_lake(cdr.load_settings(home=Path(folder) / "home"), create=True)
        deck = Path(folder) / "deck.csv"
        deck.write_text(STARTS["rate_deck"])
        take(lake, "rate_deck", deck)
        file = Path(folder) / f"{stem}.csv"
        while time.monotonic() < until or done < LEAST_FILES:
            file.write_bytes(damaged(start, draw))
            signal.setitimer(signal.ITIMER_PROF, FILE_S)
            try:
                take(lake, stem, file)
            except CdrError:
                pass
            except BaseException:
                sys.stderr.write(f"seed {SEED}, file {done}\n")
                raise
            signal.setitimer(signal.ITIMER_PROF, 0)
            done += 1
    sys.stdout.write(f"{done}\n")


@pytest.mark.fuzz
@pytest.mark.parametrize("stem", sorted(STARTS))
def test_an_importer_stands_damaged_files(stem: str) -> None:
    stands(__file__, stem)


if __name__ == "__main__":
    fuzz(sys.argv[1])

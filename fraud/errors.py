"""Everything that can go wrong in scoring and review, as one tree.

CdrError
├── WrongUse
│   ├── AlreadyOpen        the account has an open case, and may have one only
│   ├── Refused            a person may not do that with a case now
│   ├── NoSuchCase         no case has that number
│   └── NothingToEvaluate  no past night knew enough blocked accounts to learn from
├── ModelRefused           a trained model cannot be trusted or read
├── QueueTooNew            the queue's database was written by a newer version
└── QueueFailed            the queue's database refused: busy, read-only, full, damaged

`CdrError` and `WrongUse` are those of `cdr.errors`; what is said there about
messages and exit codes holds here.
"""

from __future__ import annotations

from cdr.errors import CdrError, WrongUse


class AlreadyOpen(WrongUse):
    """The account of a case has another that is open, and may have one only.

    To do: work the open case; its number is in the message.
    """

    def __init__(self, case_id: int, other_id: int) -> None:
        self.case_id, self.other_id = case_id, other_id
        super().__init__(f"the account of case {case_id} has an open case already: {other_id}")


class Refused(WrongUse):
    """A person may not do that with a case now; the message is for the person.

    To do: do as the message says, or ask a person with the role; see review.md.
    """


class NoSuchCase(WrongUse):
    """No case has that number.

    To do: take the number from the queue.
    """

    def __init__(self, case_id: int) -> None:
        self.case_id = case_id
        super().__init__(f"there is no case {case_id}")


class NothingToEvaluate(WrongUse):
    """No past night knew enough blocked accounts to learn from.

    To do: evaluate later nights, or take in `accounts.csv` with the accounts that were blocked.
    """

    def __init__(self, needed: int) -> None:
        self.needed = needed
        super().__init__(
            f"on none of these nights were {needed} accounts known as blocked for fraud or misuse, "
            "so nothing was learned that could be evaluated; take later nights"
        )


class QueueTooNew(CdrError):
    """The queue's database was written by a newer version, which may mean things we do not know.

    To do: install the version that wrote it, or a later one.
    """

    def __init__(self, unknown: str) -> None:
        self.unknown = unknown
        super().__init__(
            f"the review queue's database has migration {unknown}, which this version does not "
            "know; install the version that wrote it, or a later one"
        )


class QueueFailed(CdrError):
    """The queue's database refused; what was there before is untouched.

    The driver's own message can quote a row, so only its kind is kept and it is
    not chained.

    To do: mend what the message names (lock, rights, room, damage), then run it again.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(f"review queue: {kind}. Nothing was changed; mend that and run it again")


class ModelRefused(CdrError):
    """A trained model cannot be trusted or read; says why and what to do.

    To do: train a new one (`callsieve train`), or let each night learn (`callsieve model promote
    --nightly`).
    """

    def __init__(self, model_id: str, why: str) -> None:
        self.model_id, self.why = model_id, why
        super().__init__(f"model {model_id}: {why}")

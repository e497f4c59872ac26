"""Reading the audit log: whether its chain holds, and what it says."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from store import audit
from store.errors import BadInput, NightschoolError
from store.tables import AuditEntry, AuditHead, AuditPerson
from store.words import AuditAction

PART = 1000


class AuditBroken(NightschoolError):
    """The log is not as it was written."""


@dataclass(frozen=True)
class Seen:
    """The end of the log as somebody saw it: how many entries, and the hash of the last."""

    entries: int
    hash: str

    @classmethod
    def read(cls, text: str) -> "Seen":
        """What `str` of it gave; an empty text is the log's beginning.

        Raises:
            BadInput: it is anything else.
        """
        if not text:
            return cls(0, audit.GENESIS)
        if not re.fullmatch(r"\d{1,9}:[0-9a-f]{64}", text):
            raise BadInput("--since takes what an earlier `nightschool audit verify` printed: NUMBER:HASH.")
        entries, _, digest = text.partition(":")
        return cls(int(entries), digest)

    def __str__(self) -> str:
        return f"{self.entries}:{self.hash}"


def verify(session: Session, seen: Seen) -> Seen:
    """Follow the chain from its first entry to its head; the head.

    A chain alone cannot show that its last entries are missing. The head does, which is kept in a row of its own, and
    `seen`, which is kept outside the database, does so even where somebody wrote the whole log and its head anew.

    Raises:
        AuditBroken: an entry was changed, removed or put in, or the end was cut off; the message names the first.
    """
    at = Seen(0, audit.GENESIS)
    entries = select(AuditEntry).order_by(col(AuditEntry.number)).execution_options(yield_per=PART)
    for entry in session.exec(entries):
        _check_agrees(at, seen)
        at = _next(at, entry)
    _check_agrees(at, seen)
    _check_head(session, at)
    if at.entries < seen.entries:
        raise AuditBroken(f"The audit log ends with entry {at.entries}, and {seen.entries} were seen before.")
    return at


def _next(at: Seen, entry: AuditEntry) -> Seen:
    number = at.entries + 1
    if entry.number != number:
        raise AuditBroken(f"The audit log is broken at entry {number}: it is missing, and {entry.number} comes next.")
    if entry.hash != _digest(at.hash, entry):
        raise AuditBroken(
            f"The audit log is broken at entry {number}: its hash does not fit what it says after entry {at.entries}. "
            "It or the one before it was changed."
        )
    return Seen(number, entry.hash)


def _digest(previous: str, entry: AuditEntry) -> str | None:
    try:
        return audit.digest(previous, entry)
    except TypeError:
        # Bytes where SQLite was handed a blob for a text.
        return None


def _check_agrees(at: Seen, seen: Seen) -> None:
    if at.entries == seen.entries and at.hash != seen.hash:
        raise AuditBroken(f"The audit log was written anew: entry {at.entries} is not the one that was seen before.")


def _check_head(session: Session, at: Seen) -> None:
    head = session.get(AuditHead, audit.HEAD) or AuditHead(name=audit.HEAD, entries=0, hash=audit.GENESIS)
    if (head.entries, head.hash) != (at.entries, at.hash):
        raise AuditBroken(
            f"The audit log is broken after entry {at.entries}: its head says that entry {head.entries} is the last."
        )


@dataclass(frozen=True)
class Wanted:
    """Which entries to list; an empty word means any."""

    action: str
    about: str
    limit: int


@dataclass(frozen=True)
class Line:
    """An entry as it is listed, with Slack ids for pseudonyms where their people are still known."""

    entry: AuditEntry
    actor: str
    person: str

    @property
    def cells(self) -> tuple[int, datetime, str, str, str, str, str]:
        """Number, moment, act, by whom, to whom, about what, details."""
        entry = self.entry
        return (
            entry.number,
            datetime.fromisoformat(entry.at),
            entry.action,
            self.actor,
            self.person,
            entry.about,
            entry.details,
        )


def listed(session: Session, wanted: Wanted) -> list[Line]:
    """The newest entries that are wanted, newest first.

    Raises:
        BadInput: there is no such act.
    """
    query = select(AuditEntry).order_by(col(AuditEntry.number).desc()).limit(wanted.limit)
    if wanted.action:
        query = query.where(AuditEntry.action == _action(wanted.action))
    if wanted.about:
        query = query.where(AuditEntry.about == wanted.about)
    rows = session.exec(query).all()
    known = {row.pseudonym: row.person_id for row in session.exec(select(AuditPerson))}
    return [Line(row, _who(known, row.actor) or "Nightschool", _who(known, row.person)) for row in rows]


def _who(known: dict[str, str], pseudonym: str) -> str:
    return known.get(pseudonym, pseudonym)


def _action(text: str) -> AuditAction:
    try:
        return AuditAction(text)
    except ValueError:
        raise BadInput(f"There is no act {text!r}; there are: {', '.join(AuditAction)}.") from None

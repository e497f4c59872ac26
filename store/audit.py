"""The audit log: who did what to which thing when, written in the transaction of the act itself.

`note` says what is being done; `Store.writing` calls `seal` as the last step of the transaction, so that an act
without its entry, or an entry without its act, cannot be committed. Each entry's hash covers the one before it, as in
the logs of certificate transparency (RFC 9162), only without a tree. What people wrote is never in it, and people are
there under pseudonyms: to forget somebody takes away who stood behind theirs, and the chain still holds.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, delete, select

from store.inserting import insert_ignoring
from store.tables import AuditEntry, AuditHead, AuditPerson, now
from store.words import AuditAction

HEAD = "head"
GENESIS = "0" * 64
"""Stands where the first entry would have the hash of an earlier one."""

_NOTED = "audit.noted"
_FORGOTTEN = "audit.forgotten"

Fact = str | int | float | bool | None | list[str] | frozenset[str]
"""What `details` may hold; a set is one of people, which the log has under their pseudonyms."""


@dataclass(frozen=True)
class Act:
    """What is to be recorded: `actor` did it, to the thing `about`, to the `person`; ids, never what somebody wrote.

    An empty actor is the product itself.
    """

    action: AuditAction
    actor: str = ""
    about: str = ""
    person: str = ""
    details: Mapping[str, Fact] | None = None


def note(session: Session, act: Act) -> None:
    """Record an act with the transaction that it is part of."""
    session.info.setdefault(_NOTED, []).append(act)


def who_runs_this() -> str:
    """The actor of what is done on the command line."""
    return f"command line ({os.environ.get('USER', 'unknown')})"


def forget(session: Session, person_id: str) -> None:
    """Take away, with this transaction, who stands behind a person's pseudonym."""
    session.info.setdefault(_FORGOTTEN, []).append(person_id)


def seal(session: Session) -> None:
    """Write what was noted in this transaction, as its very last step.

    The last, since the head of the chain is locked from here to the commit: whoever waits for it has all other locks
    already, and whoever has it wants none, so that no two transactions can wait for each other.
    """
    noted: list[Act] = session.info.pop(_NOTED, [])
    if noted:
        session.flush()
        head = _locked_head(session)
        for act in noted:
            _append(session, head, act)
    for person_id in session.info.pop(_FORGOTTEN, []):
        session.exec(delete(AuditPerson).where(col(AuditPerson.person_id) == person_id))


def digest(previous: str, entry: AuditEntry) -> str:
    """The hash that an entry must have after the entry with the hash `previous`."""
    return hashlib.sha256((previous + canonical(entry.model_dump(exclude={"hash"}))).encode()).hexdigest()


def canonical(value: Any) -> str:
    """JSON in the one form that is hashed: keys in order, no white space, ASCII alone."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _locked_head(session: Session) -> AuditHead:
    insert_ignoring(session, AuditHead, {"name": HEAD, "entries": 0, "hash": GENESIS})
    locked = select(AuditHead).where(AuditHead.name == HEAD).with_for_update()
    return session.exec(locked.execution_options(populate_existing=True)).one()


def _append(session: Session, head: AuditHead, act: Act) -> None:
    entry = AuditEntry(
        number=head.entries + 1,
        action=act.action,
        at=now().isoformat(timespec="microseconds"),
        actor=_pseudonym(session, act.actor),
        person=_pseudonym(session, act.person),
        about=act.about,
        details=canonical({name: _pseudonymised(session, fact) for name, fact in (act.details or {}).items()}),
        hash="",
    )
    entry.hash = digest(head.hash, entry)
    head.entries, head.hash = entry.number, entry.hash
    session.add(entry)
    session.flush()


def _pseudonymised(session: Session, fact: Fact) -> Fact:
    return sorted(_pseudonym(session, one) for one in fact) if isinstance(fact, frozenset) else fact


def _pseudonym(session: Session, person_id: str) -> str:
    if not person_id:
        return ""
    known = session.get(AuditPerson, person_id)
    if known is None:
        known = AuditPerson(person_id=person_id, pseudonym=f"p-{secrets.token_hex(6)}")
        session.add(known)
        session.flush()
    return known.pseudonym

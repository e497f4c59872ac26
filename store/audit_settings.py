"""Settings on record: each time a process starts with others than the last time, the audit log has them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlmodel import Session, col, select

from store import audit
from store.audit import Act, Fact
from store.settings import Settings
from store.tables import AuditEntry, AuditPerson
from store.words import AuditAction

PEOPLE = frozenset({"admins", "reviewers", "on_call", "document_owners", "night.opted_out"})
"""Settings that name people; they are in the log under their pseudonyms."""

PLACES = frozenset({"home", "models_folder", "database_url", "serving.urls", "knowledge.embeddings_url"})
"""Settings that may hold a password or the name of whoever runs the product: only that they are set is kept."""

SET = "(set)"


def note_settings(session: Session, settings: Settings, process: str) -> bool:
    """Record the settings that differ from the defaults, if a process of this name last started with others."""
    chosen, about = dict(_chosen(settings.model_dump(exclude_defaults=True), "")), f"process {process}"
    latest = (
        select(AuditEntry)
        .where(AuditEntry.action == AuditAction.SETTINGS, AuditEntry.about == about)
        .order_by(col(AuditEntry.number).desc())
    )
    before = session.exec(latest).first()
    if before is not None and _plain(chosen) == _with_people(session, json.loads(before.details)):
        return False
    audit.note(session, Act(AuditAction.SETTINGS, audit.who_runs_this(), about, details=chosen))
    return True


def _chosen(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, Fact]]:
    for name, value in values.items():
        full = f"{path}{name}"
        if full in PEOPLE:
            named = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
            yield full, frozenset(named)
        elif isinstance(value, SecretStr | Path) or full in PLACES:
            yield full, SET
        elif isinstance(value, dict):
            yield from _chosen(value, f"{full}.")
        else:
            yield full, [str(item) for item in value] if isinstance(value, list) else value


def _plain(facts: Mapping[str, Fact]) -> dict[str, Any]:
    ordered = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in facts.items()}
    read: dict[str, Any] = json.loads(audit.canonical(ordered))
    return read


def _with_people(session: Session, details: dict[str, Any]) -> dict[str, Any]:
    known = {row.pseudonym: row.person_id for row in session.exec(select(AuditPerson))}
    return {
        name: sorted(known.get(one, one) for one in value) if name in PEOPLE else value
        for name, value in details.items()
    }

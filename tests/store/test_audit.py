"""The audit log: complete, append-only, one chain under many writers, and no change of it goes unseen."""

import multiprocessing
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, func, select

from store import adapters, audit, audit_trail, channels, duties, erasure, nights, people, trials
from store.audit import Act
from store.audit_settings import note_settings
from store.audit_trail import AuditBroken, Seen, Wanted
from store.errors import BadInput
from store.knowledge import library
from store.session import Store
from store.settings import NightSettings, Settings
from store.tables import AuditEntry, AuditHead, AuditPerson, Channel, Evaluation, Night
from store.words import Answering, AuditAction, Duty, GateVerdict
from tests.store.test_adapters import move, register, roll_back

MEI, TOM = "U0MEI000001", "U0TOM000001"
TRIGGERS = {
    "sqlite": "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT 'ALTER TABLE ' || tablename || ' DISABLE TRIGGER ALL' FROM pg_tables "
    "WHERE tablename IN ('audit_entry', 'audit_head')",
}


def record(store: Store, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        with store.writing() as session:
            act = Act(
                AuditAction.REVIEW, MEI, f"answer {number}", details={"verdict": "accepted", "batch": f"b{number}"}
            )
            audit.note(session, act)


def verify(store: Store, seen: str = "") -> Seen:
    with store.reading() as session:
        return audit_trail.verify(session, Seen.read(seen))


def as_intruder(session: Session, statements: list[str]) -> None:
    """Change the log as somebody would who owns the database: without its triggers."""
    for (drop,) in session.connection().execute(text(TRIGGERS[session.get_bind().dialect.name])).all():
        session.connection().execute(text(drop))
    for statement in statements:
        session.connection().execute(text(statement))


def verdict_on(store: Store, statements: list[str], seen: str = "") -> str:
    """What the check says after a change that is then taken back."""
    with Session(store.engine.execution_options(writing=True)) as session:
        as_intruder(session, statements)
        try:
            return str(audit_trail.verify(session, Seen.read(seen)).entries)
        except AuditBroken as broken:
            return str(broken)
        finally:
            session.rollback()


def acts(store: Store) -> list[str]:
    with store.reading() as session:
        return list(session.exec(select(AuditEntry.action).order_by(col(AuditEntry.number))))


def test_an_empty_log_and_a_whole_one_pass(store: Store) -> None:
    assert verify(store).entries == 0
    record(store, 30)
    head = verify(store)
    assert head.entries == 30
    record(store, 5, start=30)
    assert verify(store, str(head)).entries == 35


REFUSED = [
    "UPDATE audit_entry SET actor = 'x' WHERE number = 3",
    "DELETE FROM audit_entry WHERE number = 3",
    "DELETE FROM audit_head",
    "UPDATE audit_head SET hash = 'x'",
]
REFUSED_BY = {
    "sqlite": ["INSERT OR REPLACE INTO audit_entry SELECT number, 'x', at, '', '', '', '', hash FROM audit_entry"],
    "postgresql": ["TRUNCATE audit_entry", "TRUNCATE audit_head"],
}


def test_the_database_itself_refuses_to_change_the_log(store: Store) -> None:
    record(store, 4)
    for statement in [*REFUSED, *REFUSED_BY[store.engine.dialect.name]]:
        with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
            connection.execute(text(statement))
    assert verify(store).entries == 4


CHANGED = {
    "action": "'forget'",
    "at": "'2020-01-01T00:00:00.000000+00:00'",
    "actor": "'p-000000000000'",
    "person": "'p-000000000000'",
    "about": "'answer 99'",
    "details": "'{}'",
    "hash": f"'{'f' * 64}'",
}

DISORDERED = {
    "a row removed": (["DELETE FROM audit_entry WHERE number = 7"], "at entry 7: it is missing"),
    "a row removed and the rest moved up": (
        ["DELETE FROM audit_entry WHERE number = 7"]
        + [f"UPDATE audit_entry SET number = {number - 1} WHERE number = {number}" for number in range(8, 13)],
        "at entry 7",
    ),
    "two rows that change places": (
        [f"UPDATE audit_entry SET number = {a} WHERE number = {b}" for a, b in ((99, 7), (7, 8), (8, 99))],
        "at entry 7",
    ),
    "the end cut off": (["DELETE FROM audit_entry WHERE number > 10"], "after entry 10"),
    "every row removed": (["DELETE FROM audit_entry"], "after entry 0"),
    "the head removed": (["DELETE FROM audit_head"], "after entry 12"),
    "the head put back": (["UPDATE audit_head SET entries = 11"], "after entry 12"),
}


def test_changing_removing_reordering_and_cutting_off_are_found_and_the_row_is_named(store: Store) -> None:
    record(store, 12)
    assert verdict_on(store, []) == "12", "control: nothing changed, nothing found"
    for column, value in CHANGED.items():
        said = verdict_on(store, [f"UPDATE audit_entry SET {column} = {value} WHERE number = 7"])
        assert "broken at entry 7" in said, column
    for what, (statements, where) in DISORDERED.items():
        assert where in verdict_on(store, statements), what
    assert verify(store).entries == 12


def test_a_log_written_anew_passes_only_who_has_not_seen_the_old_one(store: Store) -> None:
    record(store, 6)
    seen = str(verify(store))
    gone = ["DELETE FROM audit_entry", "DELETE FROM audit_head"]
    assert verdict_on(store, gone) == "0", "nothing within the database can tell"
    assert "ends with entry 0, and 6 were seen" in verdict_on(store, gone, seen)
    with store.writing() as session:
        as_intruder(session, gone)
    record(store, 8, start=100)
    assert verify(store).entries == 8
    with pytest.raises(AuditBroken, match="written anew: entry 6"):
        verify(store, seen)


def _edit(row: AuditEntry, chosen: random.Random) -> None:
    column = chosen.choice(["action", "at", "actor", "person", "about", "details", "hash"])
    value = str(getattr(row, column))
    at = chosen.randrange(len(value) + 1)
    setattr(row, column, value[:at] + chosen.choice("0123456789abcdef ") + value[at + chosen.randrange(2) :])


def test_a_thousand_random_edits_are_all_found(sqlite_store: Store) -> None:
    record(sqlite_store, 20)
    with sqlite_store.reading() as session:
        rows = list(session.exec(select(AuditEntry).order_by(col(AuditEntry.number))))
    found = edits = blind = 0
    for seed in range(1000):
        chosen = random.Random(seed)
        copies = [AuditEntry(**row.model_dump()) for row in rows]
        victim = chosen.choice(copies)
        _edit(victim, chosen)
        edits += victim != rows[victim.number - 1]
        found += _first_broken(copies, audit.digest) == (victim.number if victim != rows[victim.number - 1] else None)
        blind += _first_broken(copies, lambda previous, entry: entry.hash) is None
    print(f"{found} of 1000 edits found ({edits} of them changed something); without the hashes {1000 - blind}")
    assert found == 1000
    assert edits > 900
    assert blind == 1000, "control: a check that trusts the hashes as they stand sees nothing"


def _first_broken(rows: list[AuditEntry], digest: Callable[[str, AuditEntry], str]) -> int | None:
    previous = audit.GENESIS
    for row in rows:
        if row.hash != digest(previous, row):
            return row.number
        previous = row.hash
    return None


def _record_many(url: str, count: int, start: int) -> None:
    store = Store(url)
    record(store, count, start)
    store.close()


def test_writers_in_many_processes_keep_one_chain(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_record_many, args=(store.url, 40, 1000 * n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 3
    assert verify(store).entries == 120
    with store.reading() as session:
        assert session.exec(select(func.count()).select_from(AuditPerson)).one() == 1


def test_an_act_and_its_entry_are_committed_together_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(store, 1)
    with pytest.raises(BadInput, match="fails after all"), store.writing() as session:
        _discard_and_fail(session)
    assert acts(store) == ["register"]
    with monkeypatch.context() as patched:
        patched.setattr(audit, "_append", _fail)
        with pytest.raises(RuntimeError, match="disk"):
            move(store, "v1")
    with store.reading() as session:
        assert adapters.promotions(session, 5) == []
        assert adapters.production(session) == "base"
    move(store, "v1")
    assert acts(store) == ["register", "promote"]


def _discard_and_fail(session: Session) -> None:
    adapters.discard(session, "v1", MEI, "no")
    raise BadInput("the act fails after all")


def _fail(*_: Any) -> None:
    raise RuntimeError("disk full")


def test_acts_of_admins_are_on_record(store: Store, settings: Settings) -> None:
    with_admin = settings.model_copy(update={"admins": [MEI]})
    register(store, 1, 2)
    move(store, "v1")
    move(store, "v2")
    roll_back(store)
    register(store, 3)
    steps: list[Callable[[Session], Any]] = [
        lambda session: adapters.discard(session, "v3", MEI, "too chatty"),
        lambda session: trials.start(session, MEI, "v2"),
        lambda session: trials.stop(session, MEI),
        lambda session: trials.stop(session, MEI),
        lambda session: channels.save(
            session, Channel(team_id="T1", channel_id="C1", answering=Answering.OFF, persona="Pat"), MEI
        ),
        lambda session: duties.grant(session, with_admin, TOM, Duty.REVIEWER, MEI),
        lambda session: duties.revoke(session, with_admin, TOM, MEI),
        lambda session: people.set_learning(session, "T1", TOM, opted_out=True),
        lambda session: people.set_learning(session, "T1", TOM, opted_out=False),
        lambda session: nights.request(session, MEI),
        lambda session: nights.cancel(session, MEI),
        lambda session: adapters.reject(session, "v2", "damaged"),
        lambda session: adapters.reject(session, "v2", "damaged"),
    ]
    for step in steps:
        with store.writing() as session:
            step(session)
    assert acts(store) == [
        *["register", "register", "promote", "promote", "rollback", "register", "discard", "try", "stop_trying"],
        *["channel_settings", "grant", "revoke", "opt_out", "opt_in", "request_night", "cancel_night", "reject"],
    ]
    with store.reading() as session:
        lines = audit_trail.listed(session, Wanted("", "", 50))
        granted = audit_trail.listed(session, Wanted("grant", "", 50))
        of_v2 = audit_trail.listed(session, Wanted("", "adapter v2", 50))
        with pytest.raises(BadInput, match="there are: register"):
            audit_trail.listed(session, Wanted("dance", "", 1))
    assert (granted[0].actor, granted[0].person, granted[0].entry.details) == (MEI, TOM, '{"duty":"reviewer"}')
    assert [line.entry.action for line in of_v2] == ["reject", "stop_trying", "try", "promote", "register"]
    assert lines[0].actor == "Nightschool"
    assert verify(store).entries == 17


def test_documents_that_come_change_and_go_are_on_record(store: Store) -> None:
    for content in ("a", "b"):
        with store.writing() as session:
            library.put(session, library.Found("fees.md", "Fees", sha256=content * 64, channel_id="C1"))
    for _ in range(2):
        with store.writing() as session:
            library.remove(session, "fees.md")
    assert acts(store) == ["document", "document", "remove_document"]
    with store.reading() as session:
        newest, *_ = audit_trail.listed(session, Wanted("document", "document fees.md", 9))
    assert newest.entry.details == f'{{"channel":"C1","sha256":"{"b" * 64}"}}'


def test_an_override_of_the_gate_is_marked_as_one(store: Store) -> None:
    register(store, 1)
    with store.writing() as session:
        session.add(Night(key="2026-01-01", requested_by=MEI))
        session.flush()
        session.add(Evaluation(night_id=1, candidate="v1", champion="base", verdict=GateVerdict.HOLD))
    move(store, "v1")
    with store.reading() as session:
        (line,) = audit_trail.listed(session, Wanted("promote", "", 1))
    assert '"against_advice":true' in line.entry.details


def test_no_id_and_no_text_of_a_person_is_in_the_log_and_forgetting_leaves_the_chain_whole(store: Store) -> None:
    register(store, 1)
    with store.writing() as session:
        adapters.discard(session, "v1", TOM, "Anna said that her number is wrong")
        people.set_learning(session, "T1", TOM, opted_out=True)
    with store.writing() as session:
        assert erasure.forget(session, TOM, MEI).tickets == 0
    with store.reading() as session:
        rows = list(session.exec(select(AuditEntry).order_by(col(AuditEntry.number))))
        stored = "\n".join(
            str(row.model_dump())
            for table in (AuditEntry, AuditHead, AuditPerson)
            for row in session.exec(select(table))
        )
        lines = audit_trail.listed(session, Wanted("", "", 10))
    assert "Anna" not in stored
    assert TOM not in stored
    assert [row.action for row in rows] == ["register", "discard", "opt_out", "forget"]
    assert rows[1].actor == rows[2].actor == rows[3].person != "", "it was one person, whoever it was"
    assert lines[0].actor == MEI
    assert lines[0].person.startswith("p-")
    assert verify(store).entries == 4
    with store.writing() as session:
        people.set_learning(session, "T1", TOM, opted_out=True)
    with store.reading() as session:
        (again,) = audit_trail.listed(session, Wanted("opt_out", "", 1))
    assert again.entry.actor != rows[2].actor, "who comes back is a new person to the log"


def test_settings_are_on_record_once_for_each_change_without_secrets_and_names(
    store: Store, settings: Settings
) -> None:
    changed = {"admins": [MEI], "slack_bot_token": SecretStr("xoxb-1-secret"), "database_url": "postgresql://u:pw@h/d"}
    first = settings.model_copy(update=changed)
    second = first.model_copy(update={"admins": [TOM], "night": NightSettings(at="03:00")})
    noted = []
    for process, chosen in [("bot", first), ("bot", first), ("scheduler", first), ("bot", second), ("bot", second)]:
        with store.writing() as session:
            noted.append(note_settings(session, chosen, process))
    assert noted == [True, False, True, True, False]
    with store.reading() as session:
        newest, *_, oldest = audit_trail.listed(session, Wanted("settings", "process bot", 9))
        stored = "".join(session.exec(select(AuditEntry.details)))
    assert '"night.at":"03:00"' in newest.entry.details
    assert "night.at" not in oldest.entry.details
    assert '"slack_bot_token":"(set)"' in oldest.entry.details
    assert not [word for word in ("secret", "pw@", MEI, TOM) if word in stored]


def test_what_an_older_store_holds_is_left_alone_and_the_log_begins_empty(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    import store as package

    opened = Store(f"sqlite:///{tmp_path / 'old.db'}")
    config = Config()
    config.set_main_option("script_location", str(Path(package.__file__).parent / "migrations"))
    with opened.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
    opened.migrate()
    assert verify(opened).entries == 0
    register(opened, 1)
    assert verify(opened).entries == 1
    opened.close()

"""The database and what stands in it: reachable, current, nothing stuck, the log whole."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, func, select

import store as package
from deploy.doctor.finding import Finding
from store import audit, nights
from store.audit_trail import AuditBroken, Seen, verify
from store.errors import BadInput
from store.knowledge import library
from store.session import Store
from store.settings import Settings
from store.tables import InboxEvent, OutboxMessage, now
from store.words import InboxState, NightState, OutboxState
from trainer.schedule import Timetable

LATE = timedelta(minutes=10)
NIGHTS_LATE = timedelta(hours=2)


def reachable(settings: Settings, store: Store) -> Iterator[Finding]:
    """A connection can be opened."""
    try:
        with store.engine.connect():
            pass
    except SQLAlchemyError as error:
        where = settings.home if store.is_sqlite else store.engine.url.render_as_string()
        words = f"The database at {where} cannot be opened: {str(error.__cause__ or error).splitlines()[0]}"
        yield Finding(
            "database", words, "Check NIGHTSCHOOL_DATABASE_URL, and that the server runs and takes its password."
        )
        return
    if warning := store.sqlite_warning():
        yield Finding("database", warning, "Run `sh deploy/setup.sh`, which installs it.")


def schema(settings: Settings, store: Store) -> Iterator[Finding]:
    """The tables are those of this version of the program."""
    del settings
    scripts = ScriptDirectory(str(Path(package.__file__).parent / "migrations"))
    with store.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found is None:
        yield Finding("schema", "The database has no tables yet.", "Start the bot or `nightschool run`: it makes them.")
    elif found not in {script.revision for script in scripts.walk_revisions()}:
        words = f"The database was made by a newer version of the program (schema {found})."
        yield Finding("schema", words, "Install that version again, or restore a backup from before it.")
    elif found != scripts.get_current_head():
        words = f"The database is of schema {found}, this program of {scripts.get_current_head()}."
        yield Finding("schema", words, "Restart the bot or the scheduler: it brings the tables up to date.")


def last_night(settings: Settings, store: Store) -> Iterator[Finding]:
    """The last night did not fail."""
    del settings
    with store.reading() as session:
        night = nights.latest(session)
    if night is not None and night.state == NightState.FAILED:
        yield Finding(
            "night", f"The night of {night.key} failed: {night.outcome}", "Cure that, then `nightschool night`."
        )


def scheduler(settings: Settings, store: Store) -> Iterator[Finding]:
    """Somebody runs the nights that are due."""
    with store.reading() as session:
        planned = nights.planned(session)
        running = nights.unfinished(session)
    if running is not None:
        return
    try:
        timetable = Timetable(settings.night)
    except BadInput:
        # The machine's check of the timetable says so.
        return
    due = [
        night.key for night in planned if timetable.due(datetime.fromisoformat(night.key).date()) < now() - NIGHTS_LATE
    ]
    if due:
        words = f"The night of {due[0]} is due for more than two hours and has not begun."
        yield Finding(
            "scheduler", words, "Start `nightschool scheduler`, or look into logs/scheduler.log why it stopped."
        )


def messages(settings: Settings, store: Store) -> Iterator[Finding]:
    """What is owed to Slack gets there."""
    del settings
    with store.reading() as session:
        failed = session.exec(select(OutboxMessage).where(OutboxMessage.state == OutboxState.FAILED)).all()
        late = select(func.count()).where(OutboxMessage.state == OutboxState.WAITING)
        waiting = session.exec(late.where(col(OutboxMessage.created_at) < datetime.now(UTC) - LATE)).one()
    if failed:
        last = failed[-1]
        words = f"{len(failed)} messages could not be posted, lastly {last.key}: {last.error}"
        yield Finding("messages", words, "Cure that: invite the bot to the channel, or set the channel's id.")
    if waiting:
        words = f"{waiting} messages wait for more than ten minutes to be posted."
        yield Finding("messages", words, "Start `nightschool bot`, or look into logs/bot.log.")


def events(settings: Settings, store: Store) -> Iterator[Finding]:
    """What Slack told us is worked on."""
    del settings
    with store.reading() as session:
        states = [InboxState.RECEIVED, InboxState.CLAIMED]
        stuck = select(func.count()).where(col(InboxEvent.state).in_(states))
        waiting = session.exec(stuck.where(col(InboxEvent.received_at) < datetime.now(UTC) - LATE)).one()
    if waiting:
        words = f"{waiting} events from Slack wait for more than ten minutes."
        yield Finding("events", words, "Start `nightschool bot`, or look into logs/bot.log.")


def documents(settings: Settings, store: Store) -> Iterator[Finding]:
    """Every document can be read."""
    with store.reading() as session:
        broken = [row for row in library.documents(session) if row.problem]
    for row in broken:
        cure = f"Mend or remove it in {settings.documents}."
        yield Finding("documents", f"{row.source} cannot be looked up: {row.problem}", cure)


def log(settings: Settings, store: Store) -> Iterator[Finding]:
    """The audit log is whole."""
    del settings
    with store.reading() as session:
        try:
            verify(session, Seen(0, audit.GENESIS))
        except AuditBroken as error:
            cure = "Somebody changed it outside the product: compare with a backup before you trust it."
            yield Finding("audit log", str(error), cure)

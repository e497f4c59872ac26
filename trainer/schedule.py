"""When nights run: a process that looks every two seconds whether one is due, asked for, or was interrupted.

The clock's triggers are not trusted. The night of the next date stands in the table as `scheduled` before it is due,
its key is the date, and it runs when its moment has passed: no change of daylight saving time, jump of the clock, or
second scheduler can lose or double it, three days without power lead to one night, and a first start to none.
"""

import logging
import signal
from datetime import UTC, date, datetime, time, timedelta
from threading import Event
from types import FrameType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlmodel import Session

from store import logs, nights
from store.audit_settings import note_settings
from store.errors import BadInput
from store.session import Store
from store.settings import NightSettings, Settings
from store.tables import Night
from trainer.night import carry_out, new_lease
from trainer.work import LeaseLost

logger = logging.getLogger(__name__)

TICK_S = 2
LONGEST_WAIT_S = 30.0


class Timetable:
    """At which moment the night of a date is due."""

    def __init__(self, settings: NightSettings) -> None:
        """Read the time of day and the zone.

        Raises:
            BadInput: there is no such time or zone.
        """
        try:
            self._at = time.fromisoformat(settings.at)
        except ValueError as error:
            raise BadInput(f"NIGHTSCHOOL_NIGHT__AT is {settings.at!r}; it must be a time such as 02:00.") from error
        try:
            self._zone = ZoneInfo(settings.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise BadInput(
                f"NIGHTSCHOOL_NIGHT__TIMEZONE is {settings.timezone!r}; it must be a name such as Europe/Berlin."
            ) from error

    def due(self, on: date) -> datetime:
        """The moment from which the night of a date is due, in UTC.

        A time that a change of the clocks skips is the moment it would have been without the change; of a time that
        comes twice it is the first.
        """
        return datetime.combine(on, self._at, self._zone).astimezone(UTC)

    def next_date(self, at: datetime) -> date:
        """The first date whose night is due after a moment."""
        on = at.astimezone(self._zone).date() - timedelta(days=1)
        while self.due(on) <= at:
            on += timedelta(days=1)
        return on


def choose(session: Session, timetable: Timetable, at: datetime) -> Night | None:
    """The night to work on at a moment: an interrupted one, one asked for, one to try again, one that is due."""
    waiting = nights.unfinished(session) or nights.to_retry(session, at)
    if waiting is not None:
        return waiting
    due = (night for night in nights.planned(session) if timetable.due(date.fromisoformat(night.key)) <= at)
    return next(due, None)


def tick(settings: Settings, store: Store, timetable: Timetable, at: datetime) -> Night | None:
    """Look once and carry out what is to be done; None when there is nothing, or another process is at it."""
    upcoming = timetable.next_date(at)
    with store.reading() as session:
        planned = nights.is_known(session, upcoming)
        night = choose(session, timetable, at)
    if not planned:
        with store.writing() as session:
            nights.plan(session, upcoming)
    if night is None:
        return None
    with new_lease(store) as lease:
        if lease.token is None:
            return None
        # Looked at again under the lease: another scheduler may have finished that night a moment ago.
        with store.reading() as session:
            night = choose(session, timetable, at)
        return None if night is None else carry_out(settings, store, lease, night, logger.info)


def run_scheduler(settings: Settings) -> None:
    """Run nights until Ctrl-C or SIGTERM; a night that is interrupted by them goes on at the next start.

    Raises:
        BadInput: the time or the zone in the settings does not exist.
        NightschoolError: the database cannot be reached.
    """
    logs.start(settings)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    timetable = Timetable(settings.night)
    store = Store.of(settings)
    store.migrate()
    with store.writing() as session:
        note_settings(session, settings, "scheduler")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    alarm = Event()
    scheduler = _ringing(alarm)
    logger.info("the next night is due at %s", timetable.due(timetable.next_date(datetime.now(UTC))))
    try:
        while True:
            # Nights run in the main thread, where a signal interrupts them at once. The limit is for a clock that was
            # put back: the scheduler would wait for its next moment to come round again.
            alarm.wait(LONGEST_WAIT_S)
            alarm.clear()
            _guarded_tick(settings, store, timetable)
    finally:
        scheduler.shutdown(wait=False)
        store.close()


def _ringing(alarm: Event) -> BackgroundScheduler:
    """A scheduler that sets `alarm` every few seconds. Its state is worth nothing: what is due stands in our tables."""
    scheduler = BackgroundScheduler(
        jobstores={"default": MemoryJobStore()},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone=UTC,
    )
    scheduler.add_job(alarm.set, "interval", seconds=TICK_S)
    scheduler.start()
    return scheduler


def _guarded_tick(settings: Settings, store: Store, timetable: Timetable) -> None:
    try:
        ended = tick(settings, store, timetable, datetime.now(UTC))
        if ended is not None:
            logger.info("night %s: %s. %s", ended.key, ended.state, ended.outcome)
    except LeaseLost as lost:
        logger.warning("%s", lost)
    except Exception:
        # Whatever it is (the database may be away), the next tick looks again.
        logger.exception("this look for a night failed; the next one is in %s s", TICK_S)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)

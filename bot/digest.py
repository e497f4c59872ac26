"""The weekly digest: when it is due, and the loop that owes it to the admin channel, once a week.

What is due is decided by looking at the clock again and again; the key of the week keeps it from being owed twice,
by however many bots, after however many restarts.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlmodel import Session

from bot.reporting import DIGEST
from bot.services import Services
from store import digests, outbox
from store.errors import BadInput
from store.settings import WEEKDAYS, Settings
from store.tables import now
from store.usage import Span

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
LATEST = timedelta(days=2)
"""A bot that was away when the digest was due still owes it for so long; after that the week is old news."""


@dataclass(frozen=True)
class Due:
    """A digest that is due: its key in the outbox, and the seven days that it tells of."""

    key: str
    span: Span


def due(settings: Settings, at: datetime) -> Due | None:
    """The digest that is due at a moment, if one is.

    Raises:
        BadInput: the time or the zone in the settings does not exist.
    """
    try:
        zone, time_of_day = ZoneInfo(settings.night.timezone), time.fromisoformat(settings.digest.at)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(f"The weekly digest has no time: {error}. See NIGHTSCHOOL_DIGEST__AT.") from error
    today = at.astimezone(zone).date()
    day = today - timedelta(days=(today.weekday() - WEEKDAYS.index(settings.digest.weekday)) % 7)
    moment = datetime.combine(day, time_of_day, zone)
    if moment > at:
        day -= timedelta(days=7)
        moment = datetime.combine(day, time_of_day, zone)
    if at - moment > LATEST:
        return None
    week = day.isocalendar()
    since, until = (datetime.combine(end, time(), zone) for end in (day - timedelta(days=7), day))
    return Due(f"digest-{week.year}-W{week.week:02d}", Span(since, until))


def is_wanted(session: Session, digest: Due) -> bool:
    """Whether a digest is not owed yet and there is something to tell."""
    return outbox.by_key(session, digest.key) is None and not digests.gather(session, digest.span).is_empty


def owe(session: Session, digest: Due) -> bool:
    """Owe a digest to the admin channel; False when it is owed already."""
    span = {"since": digest.span.since.isoformat(), "until": digest.span.until.isoformat()}
    return outbox.owe(session, digest.key, DIGEST, span)


async def keep_owing(services: Services, clock: Callable[[], datetime] = now) -> None:
    """Look every minute whether a digest is due, until cancelled.

    Raises:
        BadInput: the time or the zone in the settings does not exist.
    """
    settings = services.settings
    due(settings, clock())
    while settings.digest.enabled and settings.admin_channel:
        try:
            digest = due(settings, clock())
            if digest is not None and await services.store.read(is_wanted, digest):
                await services.store.write(owe, digest)
                services.outbox_wake.set()
        except Exception:
            log.exception("the weekly digest could not be looked after; trying again")
        await asyncio.sleep(LOOK_EVERY_S)
    # A worker that ends would count as a fault.
    await asyncio.Event().wait()

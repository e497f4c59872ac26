"""The Home tab of a person: what the store says, laid out for the roles that they hold."""

import time
from dataclasses import replace

from sqlmodel import Session, col, select

from bot.blocks.home import Home, home_view
from bot.home import reviewing
from bot.home.operating import operations
from bot.home.usage import last_week
from bot.services import Services
from store.duties import duties
from store.settings import Settings
from store.tables import Ticket
from store.words import Surface

OWN_SHOWN = 5


async def publish(services: Services, person_id: str, *, busy: str = "", trouble: str = "") -> None:
    """Show a person their Home tab as things stand now."""
    # One after the other, so that what was gathered first cannot arrive last.
    async with services.home_locks[person_id]:
        gathered = await services.store.read(gather, services.settings, person_id)
        if gathered.operations is not None:
            services.home_watchers[person_id] = time.monotonic()
            gathered = replace(gathered, operations=replace(gathered.operations, usage=await last_week(services)))
        await services.slack.views_publish(user_id=person_id, view=home_view(gathered, busy, trouble))


def gather(session: Session, settings: Settings, person_id: str) -> Home:
    """What a person's Home tab shows; the parts of other roles are left out."""
    asked = (
        select(Ticket)
        .where(Ticket.asker_id == person_id, Ticket.surface != Surface.IMPORT)
        .order_by(col(Ticket.created_at).desc())
        .limit(OWN_SHOWN)
    )
    held = duties(session, settings)
    queue = reviewing.queue(session, settings, person_id) if person_id in held.reviewers else None
    shown = operations(session, settings, person_id) if person_id in held.admins else None
    return Home(session.exec(asked).all(), queue, shown)

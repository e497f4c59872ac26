"""Keeps the Home tab of the admins who look at it current while a night runs."""

import asyncio
import logging
import time

from slack_sdk.errors import SlackApiError
from sqlmodel import Session

from bot import posting
from bot.home import publish
from bot.home.operating import night_lines
from bot.services import Services
from store import nights

log = logging.getLogger(__name__)

REFRESH_EVERY_S = 4.0
WATCHED_FOR_S = 900.0


async def keep_current(services: Services) -> None:
    """While a night runs, refresh the Home tab of the admins who looked at it lately; until cancelled."""
    shown: list[str] = []
    while True:
        await asyncio.sleep(REFRESH_EVERY_S)
        recently = time.monotonic() - WATCHED_FOR_S
        watchers = [person for person, opened in services.home_watchers.items() if opened > recently]
        if not watchers:
            continue
        try:
            lines = await services.store.read(_latest_lines)
            if lines == shown:
                continue
            shown = lines
            for person_id in watchers:
                opened = services.home_watchers[person_id]
                await publish(services, person_id)
                services.home_watchers[person_id] = opened
        except SlackApiError as error:
            log.warning("a Home tab could not be refreshed: %s", posting.error_of(error))


def _latest_lines(session: Session) -> list[str]:
    night = nights.latest(session)
    return night_lines(session, night) if night else []

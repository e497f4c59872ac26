"""The usage of the last week for the Home tab, counted at most once a minute and without anybody waiting for it."""

import time

from bot.services import Services
from store.tables import now
from store.usage import Figures, Span, figures

COUNTED_FOR_S = 60.0


async def last_week(services: Services) -> Figures:
    """The figures of the last seven days: as they were a little earlier, where they were counted before."""
    known = services.last_week
    if known.figures is None:
        await _count(services)
    elif time.monotonic() - known.counted_at > COUNTED_FOR_S and not known.counting:
        services.spawn(_count(services))
    return known.figures or Figures()


async def _count(services: Services) -> None:
    known = services.last_week
    known.counting = True
    try:
        known.figures = await services.store.read(figures, Span.last(7, now()))
        known.counted_at = time.monotonic()
    finally:
        known.counting = False

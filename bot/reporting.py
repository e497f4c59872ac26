"""Reports for admins: charts of usage in their direct message, and once a week a digest in their channel."""

import asyncio
from datetime import datetime, timedelta

from bot import posting
from bot.blocks.digest import digest
from bot.charts import ALT, draw_usage
from bot.posting import Picture, Place
from bot.services import Services
from store import digests, outbox
from store.errors import BadInput
from store.tables import OutboxMessage, now
from store.usage import Span, by_day

CHARTS, DIGEST, DIGEST_CHART = "usage_charts", "digest", "digest_chart"
CHART_DAYS = 30


async def wish_charts(services: Services, person_id: str) -> None:
    """Owe an admin the charts of the last month; asked for twice within a minute, they come once."""
    key = f"usage-{person_id}-{now():%Y-%m-%d-%H%M}"
    await services.store.write(outbox.owe, key, CHARTS, {"person_id": person_id, "until": now().isoformat()})
    services.outbox_wake.set()


async def post_charts(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Upload the charts into the admin's direct message."""
    opened = await services.slack.conversations_open(users=str(message.payload["person_id"]))
    place = Place(str(opened["channel"]["id"]))
    await _upload(services, place, message, again=again)
    return place


async def post_digest(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Post the week's digest in the admins' channel, and owe its chart to the digest's thread."""
    channel_id = services.settings.admin_channel
    if not channel_id:
        raise BadInput("There is no channel for the digest. Set NIGHTSCHOOL_ADMIN_CHANNEL to a channel's id.")
    week = await services.store.read(digests.gather, _span(message))
    ts = await posting.post_once(services, Place(channel_id), digest(week), message.key, again=again)
    payload = {"channel_id": channel_id, "thread_ts": ts, "until": message.payload["until"]}
    await services.store.write(outbox.owe, f"{message.key}-chart", DIGEST_CHART, payload)
    services.outbox_wake.set()
    return Place(channel_id, ts)


async def post_digest_chart(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Upload the charts of the month into the digest's thread."""
    place = Place(str(message.payload["channel_id"]), str(message.payload["thread_ts"]))
    await _upload(services, place, message, again=again)
    return place


async def _upload(services: Services, place: Place, message: OutboxMessage, *, again: bool) -> None:
    until = datetime.fromisoformat(str(message.payload["until"]))
    days = await services.store.read(by_day, Span(until - timedelta(days=CHART_DAYS), until))
    # Drawing takes half a second of CPU: in a thread, so that nobody's answer waits for it.
    content = await asyncio.to_thread(draw_usage, days)
    await posting.post_picture(services, place, Picture(f"{message.key}.png", ALT, content), again=again)


def _span(message: OutboxMessage) -> Span:
    return Span(
        datetime.fromisoformat(str(message.payload["since"])), datetime.fromisoformat(str(message.payload["until"]))
    )

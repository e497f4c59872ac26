"""Posts what the documents lack to whom it concerns: one message for each gap, which changes as the gap does."""

import logging

from bot import permissions, posting
from bot.blocks.gap import Shown, gap_message
from bot.posting import Place
from bot.services import Services
from store import gaps
from store.errors import NotFound
from store.gaps import Gap
from store.tables import KnowledgeGap, OutboxMessage

log = logging.getLogger(__name__)

THREADS_SHOWN = 5


async def post_gap(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Bring the gaps that a decision or a question concerns up to date, in the store and in Slack."""
    place = Place("")
    for gap_id in await _concerned(services, message):
        place = await show(services, gap_id, again=again)
    return place


async def _concerned(services: Services, message: OutboxMessage) -> list[int]:
    if "gap_id" in message.payload:
        return [int(message.payload["gap_id"])]
    answer_id = int(message.payload["answer_id"])
    try:
        return await services.store.write(gaps.file_answer, answer_id, services.settings.document_owners)
    except NotFound:
        return []


async def show(services: Services, gap_id: int, *, again: bool = False) -> Place:
    """Post a gap's message, or bring it up to date; nowhere when there is nobody to write it down."""
    gap = await services.store.read(gaps.get, gap_id)
    content, key = gap_message(await _shown(services, gap)), f"gap-{gap_id}"
    if gap.row.message_ts:
        metadata = posting.note_metadata(key)
        await posting.update(services, gap.row.channel_id, gap.row.message_ts, content, metadata)
        return Place(gap.row.channel_id, gap.row.message_ts)
    channel_id = await _channel(services, gap.row)
    if not channel_id:
        log.warning("nobody is told of gap %d: set NIGHTSCHOOL_KNOWLEDGE_CHANNEL", gap_id)
        return Place("")
    ts = await posting.post_once(services, Place(channel_id), content, key, again=again)
    await services.store.write(gaps.posted, gap_id, channel_id, ts)
    return Place(channel_id, ts)


async def _channel(services: Services, gap: KnowledgeGap) -> str:
    settings = services.settings
    to = gap.owner_id or settings.knowledge_channel or settings.admin_channel
    if to.startswith(("U", "W")):
        opened = await services.slack.conversations_open(users=to)
        return str(opened["channel"]["id"])
    return to


async def _shown(services: Services, gap: Gap) -> Shown:
    public = [ticket for ticket in gap.tickets if gaps.is_public(ticket)]
    places = [Place(ticket.channel_id, ticket.thread_ts) for ticket in public[:THREADS_SHOWN]]
    links = [await posting.permalink(services, place) for place in places]
    return Shown(
        gap=gap.row,
        question=public[-1].question if public else "",
        asked=len(gap.tickets),
        right_answers=gap.right_answers,
        links=[link for link in links if link],
    )


async def require_writer(services: Services, gap_id: int, person_id: str) -> None:
    """Let only the owner of the gap pass, and reviewers.

    Raises:
        NotAllowed: anyone else.
    """
    gap = await services.store.read(gaps.get, gap_id)
    if gap.row.owner_id != person_id:
        await permissions.require_reviewer(services, person_id)

"""Tells the people who complained that a version has fixed it: owed by the promotion, posted by the outbox."""

import logging

from bot import identities, posting
from bot.blocks.fix import Fixed, fix_notice
from bot.posting import Place
from bot.safe_text import safe_markdown
from bot.services import Services
from store import adapters, fixes, tickets
from store.errors import NightschoolError
from store.fixes import Fix
from store.tables import OutboxMessage

log = logging.getLogger(__name__)

NOWHERE = Place("")


async def owe_notices(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Find out whom a promotion concerns, and owe each a message; nothing is posted by this itself."""
    adapter = str(message.payload["adapter"])
    if await services.store.read(adapters.production) == adapter:
        owed = await services.store.write(fixes.owe_notices, adapter)
        log.info("%d people are told what %s has fixed", owed, adapter)
        services.outbox_wake.set()
    return NOWHERE


async def post_notice(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Tell one person, in their direct message, what is answered now; nothing where that is not wanted any more."""
    payload = message.payload
    if "person_id" not in payload:
        # They were forgotten since.
        return NOWHERE
    adapter, person_id = str(payload["adapter"]), str(payload["person_id"])
    fix = await services.store.read(fixes.to_tell, int(payload["answer_id"]), person_id, adapter)
    if fix is None or await identities.kind_of(services, person_id) not in identities.PEOPLE_OF_OURS:
        return NOWHERE
    opened = await services.slack.conversations_open(users=person_id)
    place = Place(str(opened["channel"]["id"]))
    if again and (found := await posting.find_note(services, place, message.key)):
        return Place(place.channel_id, found)
    content = fix_notice(await _fixed(services, fix, adapter))
    ts = await posting.post_once(services, place, content, message.key, again=False)
    return Place(place.channel_id, ts)


async def _fixed(services: Services, fix: Fix, adapter: str) -> Fixed:
    answer, approved = "", False
    thread = Place(fix.ticket.channel_id, fix.ticket.thread_ts)
    try:
        answer = (await services.client.complete(adapter, fix.answer.messages)).text.strip()
    except NightschoolError as error:
        log.info("the approved answer is sent with %s: %s", adapter, error)
    if not answer:
        answer, approved = fix.review.correction, True
    return Fixed(
        adapter=adapter,
        question=fix.ticket.question,
        answer=safe_markdown(answer, services.settings.link_hosts),
        approved=approved,
        link="" if tickets.is_private(fix.ticket) else await posting.permalink(services, thread),
    )

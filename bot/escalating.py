"""“I need a human”: calls who is on call, once, and says that it did; where nobody is, the admins are told.

In a channel the call is made in the thread. A question that was asked in private stays private: who is on call hears
only that somebody needs them.
"""

import logging

from slack_sdk.errors import SlackApiError
from sqlmodel import Session

from bot import posting, telling
from bot.blocks.content import Content
from bot.clicks import Click, clicked_answer
from bot.posting import Place
from bot.services import Services
from store import helping, outbox
from store.duties import duties
from store.helping import Call
from store.settings import Settings
from store.tables import OutboxMessage, Ticket
from store.words import Surface, Visibility

log = logging.getLogger(__name__)

KIND = "human_call"
NOBODY = (
    "Nobody is on call here, and I know no admin to tell. Ask a colleague directly; "
    "an admin can name who is on call in the settings of this channel."
)

UNHEARD = "I could not reach {}. Please ask a colleague directly."


async def call_human(services: Services, click: Click) -> str:
    """Hand the ticket of an answer over; the sentence for the person who clicked.

    Raises:
        BadInput: the question was deleted.
    """
    call = await services.store.write(_escalate, services.settings, click)
    services.outbox_wake.set()
    if not call.escalated_to:
        return NOBODY
    if call.first:
        return f"I am calling {mention(call.escalated_to)}."
    return f"{mention(call.escalated_to)} has been called already and will come back to you."


def _escalate(session: Session, settings: Settings, click: Click) -> Call:
    ticket = clicked_answer(session, click)[1]
    call = helping.escalate(session, ticket, _whom(session, settings, ticket))
    if call.first and call.escalated_to:
        payload = {"ticket_id": ticket.id, "person_id": click.person_id}
        outbox.owe(session, f"{KIND}-{ticket.id}", KIND, payload)
    return call


def _whom(session: Session, settings: Settings, ticket: Ticket) -> str:
    """Who is on call, else the admins' channel, else an admin; empty when there is none of them."""
    named = helping.on_call(session, ticket, settings.on_call)
    # A group cannot be called in a direct message: only its two members would read it.
    in_reach = ticket.surface != Surface.DIRECT_MESSAGE or not named.startswith("S") or settings.admin_channel
    if named and in_reach:
        return named
    return settings.admin_channel or min(duties(session, settings).admins, default="")


def mention(id: str) -> str:
    """A person, user group or channel by its id, as Slack writes it; a group and a person are notified by it."""
    if id.startswith("C"):
        return f"<#{id}>"
    return f"<!subteam^{id}>" if id.startswith("S") else f"<@{id}>"


async def post_call(services: Services, message: OutboxMessage, again: bool) -> Place:
    """Make the call; where it cannot be made, the admins hear of it, or at least the person who asked for it."""
    ticket: Ticket = await services.store.read(_ticket, int(message.payload["ticket_id"]))
    person_id, admins = str(message.payload["person_id"]), services.settings.admin_channel
    place, said = await _call(services, ticket, person_id)
    try:
        await posting.post_once(services, place, Content(said), message.key, again=again)
    except SlackApiError as error:
        if posting.error_of(error) not in posting.UNREACHABLE:
            raise
        log.warning("%s could not be called: %s", ticket.escalated_to, posting.error_of(error))
        if not admins or place.channel_id == admins:
            await telling.message_person(services, person_id, UNHEARD.format(mention(ticket.escalated_to)))
            return place
    else:
        if ticket.escalated_to != admins:
            return place
    if place.channel_id != admins:
        told = Content(_for_admins(ticket, person_id, await _link(services, ticket)))
        await posting.post_once(services, Place(admins), told, f"{message.key}-admins", again=again)
    return place


def _ticket(session: Session, ticket_id: int) -> Ticket:
    return session.get_one(Ticket, ticket_id)


async def _call(services: Services, ticket: Ticket, person_id: str) -> tuple[Place, str]:
    """Where the call is made, and its words."""
    to = ticket.escalated_to
    if ticket.visibility != Visibility.DIRECT:
        called = f"{mention(to)}, <@{person_id}> would like a human here."
        nobody = f"<@{person_id}> would like a human here. Nobody is on call for this channel, so I told the admins."
        return Place(ticket.channel_id, ticket.thread_ts), nobody if to.startswith("C") else called
    said = f"<@{person_id}> asked me something in private and needs a human. Please write to them."
    if to.startswith("C"):
        return Place(to), said
    if to.startswith("S"):
        group_place = ticket.channel_id if ticket.surface == Surface.COMMAND else services.settings.admin_channel
        return Place(group_place), f"{mention(to)}, {said}"
    opened = await services.slack.conversations_open(users=to)
    return Place(str(opened["channel"]["id"])), said


def _for_admins(ticket: Ticket, person_id: str, link: str) -> str:
    where = f"<{link}|this thread>" if link else f"<#{ticket.channel_id}>"
    return (
        f"<@{person_id}> would like a human in {where} of <#{ticket.channel_id}>, and nobody could be called there. "
        "Who is on call can be named in the channel's settings, in my Home tab."
    )


async def _link(services: Services, ticket: Ticket) -> str:
    if ticket.visibility == Visibility.DIRECT:
        return ""
    return await posting.permalink(services, Place(ticket.channel_id, ticket.thread_ts))

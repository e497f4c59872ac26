"""Opinions about answers, from the buttons and from reactions, all stored as votes."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slack_sdk.errors import SlackApiError
from sqlmodel import Session

from bot import posting, telling
from bot.blocks.content import Content
from bot.blocks.feedback import THANKS_UP, parse_vote, tell_why
from bot.posting import Place
from bot.services import Services
from store import answers, approved, proposals, votes
from store.errors import BadInput, NotAllowed, NotFound
from store.tables import Answer, Ticket, now
from store.votes import Ballot, Counted
from store.words import DeliveryState, Surface, TicketStatus, VoteSource, VoteValue

log = logging.getLogger(__name__)

REACTIONS = {
    "+1": VoteValue.UP,
    "thumbsup": VoteValue.UP,
    "-1": VoteValue.DOWN,
    "thumbsdown": VoteValue.DOWN,
}
REPLACED = "The question was edited, and a newer answer took the place of this one: please vote on that one."
WITHDRAWN = "The question was deleted, so this answer is not voted on any more."


@dataclass(frozen=True)
class Click:
    """A click on a thumb: by whom, in which message, with which value, and when."""

    person_id: str
    channel_id: str
    message_ts: str
    value: str
    ephemeral: bool
    at: datetime


@dataclass(frozen=True)
class Reaction:
    """A thumb added to an answer's message or taken from it; the message by its channel and ts, and its thread."""

    ballot: Ballot
    channel_id: str
    message_ts: str
    thread_ts: str


def moment_of(ts: object) -> datetime:
    """The moment of one of Slack's timestamps; the present one where there is none."""
    try:
        return datetime.fromtimestamp(float(str(ts)), UTC)
    except (ValueError, OverflowError):
        return now()


def objection(answer: Answer, ticket: Ticket) -> str:
    """Why nobody can vote on an answer any more; empty when they can."""
    if answer.state == DeliveryState.SUPERSEDED:
        return REPLACED
    if answer.state == DeliveryState.WITHDRAWN or ticket.status == TicketStatus.WITHDRAWN:
        return WITHDRAWN
    return ""


def cast_by_click(session: Session, click: Click) -> Counted:
    """Store the vote of a click.

    Raises:
        NotFound: the answer is gone, or the value is not one that we gave out.
        NotAllowed: the value names an answer other than the one that was clicked on.
        BadInput: the answer was replaced or withdrawn.
    """
    parsed = parse_vote(click.value)
    if parsed is None:
        raise NotFound("That button does not belong to an answer any more.")
    value, answer_id = parsed
    answer, ticket = answers.with_ticket(session, answer_id)
    # The asker votes on private answers, and in the direct message where they were asked whether an answer helped.
    unseen = (click.ephemeral and ticket.surface == Surface.COMMAND) or click.channel_id.startswith("D")
    private = unseen and ticket.asker_id == click.person_id
    if not private and (answer.channel_id, answer.message_ts) != (click.channel_id, click.message_ts):
        raise NotAllowed("That button belongs to another answer. Nothing was changed.")
    if sentence := objection(answer, ticket):
        raise BadInput(sentence)
    return _cast(session, Ballot(answer_id, click.person_id, value, at=click.at))


def _cast(session: Session, ballot: Ballot) -> Counted:
    counted = votes.cast(session, ballot)
    if counted.changed:
        session.flush()
        if ballot.value == VoteValue.DOWN:
            approved.doubt(session, ballot.answer_id)
        proposals.follow(session, session.get_one(Answer, ballot.answer_id).ticket_id)
    return counted


async def cast_by_reaction(services: Services, event: dict[str, Any]) -> None:
    """Store the vote of a 👍 or 👎 reaction on an answer, and thank for it; other reactions mean nothing."""
    reaction = await _reaction(services, event)
    if reaction is None:
        return
    ballot, place = reaction.ballot, Place(reaction.channel_id, reaction.thread_ts)
    if sentence := objection(*await services.store.read(answers.with_ticket, ballot.answer_id)):
        await telling.whisper(services, place, ballot.person_id, Content(sentence))
        return
    standing = await _standing(services, reaction)
    if standing is not None and ballot.value not in standing:
        # Taken back already: Slack's events are worked on at the same time, so the removal may have come first.
        return
    counted = await services.store.write(_cast, ballot)
    if counted.changed:
        thanks = tell_why(ballot.answer_id) if ballot.value == VoteValue.DOWN else THANKS_UP
        await telling.whisper(services, place, ballot.person_id, thanks)


async def retract_by_reaction(services: Services, event: dict[str, Any]) -> None:
    """Take a vote back whose reaction was removed, unless another gesture has replaced it or the reaction stands."""
    reaction = await _reaction(services, event)
    if reaction is None:
        return
    standing = await _standing(services, reaction) or set()
    if reaction.ballot.value not in standing:
        await services.store.write(_retract, reaction.ballot, next(iter(standing), None))


def _retract(session: Session, ballot: Ballot, standing: VoteValue | None) -> None:
    if votes.retract(session, ballot, standing):
        session.flush()
        proposals.follow(session, session.get_one(Answer, ballot.answer_id).ticket_id)


async def _reaction(services: Services, event: dict[str, Any]) -> Reaction | None:
    value = _value_of(str(event.get("reaction", "")))
    item = event.get("item") or {}
    person_id = str(event.get("user") or "")
    bot = await services.bot()
    if value is None or item.get("type") != "message" or person_id in ("", bot.user_id):
        return None
    channel_id, message_ts = str(item["channel"]), str(item["ts"])
    answer: Answer | None = await services.store.read(answers.of_message, channel_id, message_ts)
    if answer is None or answer.id is None:
        return None
    _, ticket = await services.store.read(answers.with_ticket, answer.id)
    ballot = Ballot(answer.id, person_id, value, VoteSource.REACTION, moment_of(event.get("event_ts")))
    return Reaction(ballot, channel_id, message_ts, ticket.thread_ts)


def _value_of(name: str) -> VoteValue | None:
    return REACTIONS.get(name.split("::")[0])


async def _standing(services: Services, reaction: Reaction) -> set[VoteValue] | None:
    """The thumbs, in any skin tone, that the person has on the message now; None when Slack does not say.

    Source: https://docs.slack.dev/reference/methods/reactions.get.
    """
    try:
        found = await services.slack.reactions_get(
            channel=reaction.channel_id, timestamp=reaction.message_ts, full=True
        )
    except SlackApiError as error:
        log.info("the reactions of %s are not known: %s", reaction.message_ts, posting.error_of(error))
        return None
    given = (found.get("message") or {}).get("reactions") or []
    mine = (_value_of(str(each["name"])) for each in given if reaction.ballot.person_id in each.get("users", []))
    return {value for value in mine if value is not None}

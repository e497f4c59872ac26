"""An edited question is answered anew: in the same message, with a word that says so.

The new answer is a row of its own and takes the message; the old one keeps its votes and is superseded, so that
nobody reviews it and nothing is learnt from it. What was still being written for the old wording is stopped first.
"""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from bot import answering, knowing, questions
from bot.blocks.answer import answering_anew
from bot.inbox import post_key
from bot.prompting import Assignment, Given, prepare
from bot.services import Services
from store import answers, inbox, proposals, tickets
from store.memory import Memory
from store.settings import Settings
from store.tables import Answer
from store.tickets import Line
from store.words import Role


class TooEarly(Exception):
    """The message itself is still on its way through the inbox; its edit is taken up after it."""


@dataclass(frozen=True)
class Edit:
    """An edited message: where it stands, what it says now, and the keys of the message and of this edit."""

    team_id: str
    channel_id: str
    line: Line
    message_key: str
    key: str


async def take_edit(services: Services, body: dict[str, Any], attempt: int) -> None:
    """An edited message: the transcript follows it, and what it asked is answered anew.

    The bot's own edits, Slack's unfurls, and edits that change no word do nothing.

    Raises:
        TooEarly: see there; the inbox tries again.
    """
    event = body["event"]
    message = event.get("message") or {}
    if message.get("text") == (event.get("previous_message") or {}).get("text"):
        return
    edit = _edit(body, (await services.bot()).user_id)
    unfinished = await services.store.read(_unfinished, services.settings, edit)
    await services.running.replace(unfinished)
    memory = await knowing.memory_for(services, edit.team_id, edit.channel_id, edit.line.text)
    assignment = await services.store.write(_take_over, services.settings, edit, memory)
    if assignment is not None:
        await answering.answer_in_place(services, assignment, answering_anew(), attempt)


def _edit(body: dict[str, Any], bot_user_id: str) -> Edit:
    event = body["event"]
    message = event.get("message") or {}
    ts, team_id, channel_id = str(message.get("ts")), str(body.get("team_id") or ""), str(event["channel"])
    text = questions.plain_text(str(message.get("text") or ""), bot_user_id)
    key = post_key(team_id, channel_id, ts)
    edited_ts = str((message.get("edited") or {}).get("ts") or event.get("event_ts") or "")
    line = Line(ts, str(message.get("user") or ""), Role.ASKER, text)
    return Edit(team_id, channel_id, line, key, f"{key}/edited/{edited_ts}")


def _unfinished(session: Session, settings: Settings, edit: Edit) -> list[str]:
    """The keys of the answers to the old wording that may still be under way."""
    found = tickets.line_in_channel(session, edit.team_id, edit.channel_id, edit.line.ts)
    if found is None:
        if inbox.is_open(session, edit.message_key):
            raise TooEarly(edit.message_key)
        return []
    if tickets.says_the_same(found[1].text, edit.line.text) or questions.why_not(settings, edit.line.text):
        return []
    return [answer.event_id for answer in answers.to_question(session, found[0].id or 0, edit.line.ts)]


def _take_over(session: Session, settings: Settings, edit: Edit, memory: Memory) -> Assignment | None:
    """Store the edit and the answer that is to take the old one's place; None where nothing has to be answered."""
    answer = answers.by_key(session, edit.key) or _successor(session, settings, edit)
    if answer is None or answer.state not in answers.UNFINISHED:
        return None
    ticket = answers.with_ticket(session, answer.id or 0)[1]
    prepare(session, settings, Given(answer, ticket, edit.line), memory)
    return Assignment(answer, ticket, edit.line.person_id)


def _successor(session: Session, settings: Settings, edit: Edit) -> Answer | None:
    found = tickets.edit(session, edit.team_id, edit.channel_id, edit.line)
    if found is None or questions.why_not(settings, edit.line.text):
        return None
    standing = answers.to_question(session, found[0].id or 0, edit.line.ts)
    if not standing:
        return None
    successor = answers.supersede(session, standing[0], edit.key)
    proposals.follow(session, successor.ticket_id)
    return successor

"""What people write where the bot can read it: questions to answer, talk to listen to, deletions."""

import logging
from dataclasses import replace
from typing import Any

from slack_sdk.errors import SlackApiError
from sqlmodel import Session

from bot import answering, joining, posting, questions
from bot.blocks.content import Content
from bot.inbox import post_key
from bot.posting import Place
from bot.question_filter import is_question
from bot.services import Services
from store import answers, channels, inbox, proposals, tickets
from store.tables import Answer
from store.tickets import Line, Question
from store.words import Answering, Role, Surface, TicketStatus, Visibility

log = logging.getLogger(__name__)

SWITCHED_OFF = (
    "I am switched off in this channel. Ask me in a direct message, or type `/ask` followed by your question."
)


async def take_post(services: Services, body: dict[str, Any], attempt: int) -> None:
    """A new message: answer it if it is meant for the bot, else keep it as part of a thread the bot is in."""
    event = body["event"]
    bot = await services.bot()
    question = questions.from_event(body, bot.user_id)
    if not question.person_id or question.person_id == bot.user_id:
        return
    if question.surface != Surface.DIRECT_MESSAGE:
        text = str(event.get("text") or "")
        mentioned = event["type"] == "app_mention" or questions.mentions_bot(text, bot.user_id)
        addressed = questions.mentions_someone_else(text, bot.user_id)
        chosen = await services.store.read(channels.settings_of, question.team_id, question.channel_id)
        if chosen.answering == Answering.OFF:
            await _decline(services, question, mentioned=mentioned)
            return
        everything = chosen.answering == Answering.QUESTIONS
        if everything and not mentioned and not addressed and _asks_the_channel(question):
            question = replace(question, surface=Surface.CHANNEL)
        elif not mentioned and not await services.store.write(_listen, question, addressed):
            return
    await _answer(services, question, body, attempt)


async def _decline(services: Services, question: Question, *, mentioned: bool) -> None:
    if mentioned:
        thread_ts = question.thread_ts if question.thread_ts != question.ts else ""
        place = Place(question.channel_id, thread_ts)
        await posting.whisper(services, place, question.person_id, Content(SWITCHED_OFF))


def _asks_the_channel(question: Question) -> bool:
    return question.thread_ts == question.ts and is_question(question.text)


def _listen(session: Session, question: Question, to_someone_else: bool) -> bool:
    """Whether a message without a mention is a follow-up for the bot; others in its threads are only written down.

    Where a human was called, the asker talks to the human.
    """
    if question.thread_ts == question.ts:
        return False
    ticket = tickets.of_thread(session, question.team_id, question.channel_id, question.thread_ts)
    if ticket is None:
        return False
    handed_over = ticket.status == TicketStatus.ESCALATED and ticket.escalated_to != ""
    if question.person_id == ticket.asker_id and not to_someone_else and not handed_over:
        return True
    role = Role.ASKER if question.person_id == ticket.asker_id else Role.HELPER
    tickets.add_line(session, ticket.id or 0, Line(question.ts, question.person_id, role, question.text))
    proposals.follow(session, ticket.id or 0)
    return False


async def _answer(services: Services, question: Question, body: dict[str, Any], attempt: int) -> None:
    before = await joining.said_before(services, question)
    if before and not question.text:
        # Called into a thread without a word: what the thread began with is the question.
        question = replace(question, text=before[0].text)
    if sentence := questions.why_not(services.settings, question.text):
        place = Place(question.channel_id, question.thread_ts)
        await posting.post_once(services, place, Content(sentence), f"hint-{question.key}", again=attempt > 1)
        return
    unknown = question.visibility == Visibility.PRIVATE and "channel_type" not in body["event"]
    if body.get("is_ext_shared_channel"):
        # People of another organisation read it too: nothing of it is learnt.
        question, unknown = replace(question, visibility=Visibility.PRIVATE), False
    elif services.channels.get(question.channel_id) is False:
        question, unknown = replace(question, visibility=Visibility.PUBLIC), False
    await answering.answer(services, question, attempt, before)
    if unknown:
        await learn_visibility(services, question)


async def learn_visibility(services: Services, question: Question) -> None:
    """Ask Slack whether a channel is private, once, and record it; until then it counts as private."""
    if question.channel_id not in services.channels:
        try:
            found = await services.slack.conversations_info(channel=question.channel_id)
        except SlackApiError as error:
            log.warning("%s counts as private: %s", question.channel_id, posting.error_of(error))
            return
        channel = found.get("channel") or {}
        public = channel.get("is_channel") and not channel.get("is_private") and not channel.get("is_ext_shared")
        services.channels[question.channel_id] = not public
    if not services.channels[question.channel_id]:
        await services.store.write(_make_public, question)


def _make_public(session: Session, question: Question) -> None:
    ticket = tickets.of_thread(session, question.team_id, question.channel_id, question.thread_ts)
    if ticket is not None and ticket.id is not None:
        tickets.set_visibility(session, ticket.id, Visibility.PUBLIC)


async def take_deletion(services: Services, body: dict[str, Any]) -> None:
    """A deleted message: its answer stops and is deleted too, and nothing of it is learnt."""
    event = body["event"]
    team_id, channel_id = str(body.get("team_id") or ""), str(event["channel"])
    ts = str(event.get("deleted_ts") or (event.get("previous_message") or {}).get("ts"))
    key = post_key(team_id, channel_id, ts)
    withdrawn = await services.store.write(_withdraw, team_id, channel_id, ts)
    thread_ts = str((event.get("previous_message") or {}).get("thread_ts") or ts)
    services.running.stop(channel_id, thread_ts, key)
    for answer in withdrawn:
        services.running.stop(channel_id, thread_ts, answer.event_id)
        await posting.delete_all(services, channel_id, answers.standing(answer))


def _withdraw(session: Session, team_id: str, channel_id: str, ts: str) -> list[Answer]:
    inbox.cancel(session, post_key(team_id, channel_id, ts))
    return tickets.withdraw(session, team_id, channel_id, ts)

"""A question becomes a streamed answer that is stored: generated, recorded, shown in full, closed.

Each step is stored before the next begins, so that after a crash the work goes on where it stood: what was recorded
is not generated again, and what stands in Slack is not posted again. Whatever fails, the asker reads a sentence.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import cast

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from sqlmodel import Session

from bot import posting
from bot.blocks.answer import Closing, approved_line, trying_again
from bot.delivery import Delivery, MessageDelivery, PrivateDelivery, Recipient
from bot.posting import Place
from bot.prompting import Assignment, assign, assign_again
from bot.services import RunningAnswer, Services
from serving.client import Completion
from store import answers, approved, tickets
from store.answers import Outcome
from store.errors import NightschoolError
from store.tickets import Line, Question
from store.words import Arm, DeliveryState, Role, Surface, TicketStatus

log = logging.getLogger(__name__)

STATUS_AFTER_S = 0.1
"""First the question goes to the model; a status line that text would replace at once is not worth a call."""

THINKING = "is thinking …"
LOADING_MESSAGES = ["Reading your question …", "Looking for the answer …", "Writing it down …"]
CUT_OFF = "The answer was cut off at its longest. Ask me to go on."
EMPTY = "The model gave no answer. Please try again, perhaps in other words."


@dataclass(frozen=True)
class Retry:
    """A person's wish to have a failed answer generated anew; `response_url` is where a private one goes."""

    answer_id: int
    response_url: str = ""


@dataclass
class _Progress:
    text: str = ""
    completion: Completion | None = None


async def answer(services: Services, question: Question, attempt: int = 1) -> None:
    """Answer a question once, however often it is asked for; `attempt` above 1 looks for traces of the one before."""
    if services.running.holds(question.key):
        return
    with services.running.entry(question.channel_id, question.thread_ts, question.key) as running:
        assignment = await services.store.write(assign, services.settings, question, services.approved)
        if assignment is not None:
            await _carry_out(services, assignment, running, again=attempt > 1)


async def answer_again(services: Services, retry: Retry, attempt: int = 1) -> None:
    """Generate a failed answer anew and show it in the message that said so."""
    assignment = await services.store.write(assign_again, retry.answer_id, retry.response_url)
    if assignment is None or services.running.holds(assignment.answer.event_id):
        return
    ticket, given = assignment.ticket, assignment.answer
    with services.running.entry(ticket.channel_id, ticket.thread_ts, given.event_id) as running:
        if given.message_ts:
            metadata = posting.answer_metadata(retry.answer_id)
            await posting.update(services, ticket.channel_id, given.message_ts, trying_again(), metadata)
        await _carry_out(services, assignment, running, again=attempt > 1)


async def _carry_out(services: Services, assignment: Assignment, running: RunningAnswer, *, again: bool) -> None:
    delivery = await _delivery(services, assignment, running, again=again)
    status = asyncio.create_task(_say_thinking(services, assignment, delivery))
    try:
        outcome = await _outcome(services, assignment, running, delivery)
        await services.store.write(answers.record, assignment.answer.id or 0, outcome)
        status.cancel()
        with suppress(asyncio.CancelledError):
            await status
        await _close(services, assignment, delivery, outcome)
    finally:
        status.cancel()
        delivery.abandon()


async def _delivery(services: Services, assignment: Assignment, running: RunningAnswer, *, again: bool) -> Delivery:
    given, ticket = assignment.answer, assignment.ticket
    if ticket.surface == Surface.COMMAND:
        return PrivateDelivery(services, assignment.response_url)
    place = Place(ticket.channel_id, ticket.thread_ts)
    answer_id = given.id or 0
    standing_ts = given.message_ts
    if again and not standing_ts:
        standing_ts = await posting.find_answer(services, place, answer_id) or ""
    if again and standing_ts:
        await posting.end_stream(services, ticket.channel_id, standing_ts)

    async def standing(ts: str) -> None:
        await services.store.write(answers.standing_at, answer_id, ts)

    recipient = Recipient(place, ticket.team_id, assignment.asker_id, answer_id, standing, running.stop)
    return MessageDelivery(services, recipient, standing_ts)


async def _outcome(services: Services, assignment: Assignment, running: RunningAnswer, delivery: Delivery) -> Outcome:
    """Generate, or take what a crash left recorded; errors become a failed outcome with a sentence."""
    if recorded := _recorded(assignment) or await _approved(services, assignment):
        return recorded
    progress = _Progress()
    running.task = asyncio.create_task(_generate(services, assignment, delivery, progress))
    try:
        if running.stopped:
            running.task.cancel()
        await running.task
    except asyncio.CancelledError:
        if not running.stopped:
            raise
        return Outcome(progress.text, DeliveryState.STOPPED)
    except NightschoolError as error:
        log.warning("answer %s failed: %s", assignment.answer.id, error)
        return Outcome(progress.text, DeliveryState.FAILED, error=str(error))
    return _completed(progress)


def _recorded(assignment: Assignment) -> Outcome | None:
    given = assignment.answer
    if given.completed_at is None or not given.text:
        return None
    return Outcome(
        text=given.text,
        state=DeliveryState.FAILED if given.error else DeliveryState.DELIVERED,
        error=given.error,
        prompt_tokens=given.prompt_tokens,
        completion_tokens=given.completion_tokens,
        first_token_ms=given.first_token_ms,
        latency_ms=given.latency_ms,
        mean_logprob=given.mean_logprob,
    )


async def _approved(services: Services, assignment: Assignment) -> Outcome | None:
    """The answer that a reviewer gave to the same question, without asking the model."""
    review_id = assignment.answer.approved_by
    found = await services.store.read(approved.get, review_id) if review_id else None
    return Outcome(found.text, DeliveryState.DELIVERED) if found else None


async def _generate(services: Services, assignment: Assignment, delivery: Delivery, progress: _Progress) -> None:
    stream = services.client.stream(assignment.model, assignment.answer.messages, logprobs=True)
    async with aclosing(cast("AsyncGenerator[str | Completion, None]", stream)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Completion):
                progress.completion = piece
            else:
                progress.text += piece
                delivery.show(progress.text)


def _completed(progress: _Progress) -> Outcome:
    done = progress.completion
    if done is None or not progress.text.strip():
        return Outcome("", DeliveryState.FAILED, error=EMPTY)
    return Outcome(
        text=progress.text.strip(),
        state=DeliveryState.DELIVERED,
        prompt_tokens=done.prompt_tokens,
        completion_tokens=done.completion_tokens,
        first_token_ms=done.first_token_ms,
        latency_ms=done.latency_ms,
        mean_logprob=done.mean_logprob,
        cut_off=done.finish_reason == "length",
    )


async def _close(services: Services, assignment: Assignment, delivery: Delivery, outcome: Outcome) -> None:
    answer_id = assignment.answer.id or 0
    sentence = outcome.error or (CUT_OFF if outcome.cut_off else "")
    trial = assignment.model if assignment.answer.arm == Arm.TRIAL else ""
    if assignment.answer.approved_by:
        sentence = await services.store.read(_approval, assignment.answer.approved_by)
    await delivery.close(outcome.text, Closing(answer_id, outcome.state, sentence, trial))
    if not await services.store.write(_record_close, assignment, outcome, delivery.ts) and delivery.ts:
        await posting.delete(services, assignment.ticket.channel_id, delivery.ts)


def _approval(session: Session, review_id: int) -> str:
    found = approved.get(session, review_id)
    return approved_line(found) if found else ""


def _record_close(session: Session, assignment: Assignment, outcome: Outcome, message_ts: str) -> bool:
    given, ticket = assignment.answer, assignment.ticket
    if not answers.close(session, given.id or 0, outcome.state, message_ts):
        return False
    if outcome.text and outcome.state != DeliveryState.FAILED:
        # A private answer has no ts of its own; its line follows the question's.
        ts = message_ts or f"{given.question_ts}-answer"
        tickets.add_line(session, ticket.id or 0, Line(ts, "", Role.BOT, outcome.text))
        tickets.set_status(session, ticket.id or 0, TicketStatus.ANSWERED)
    return True


async def _say_thinking(services: Services, assignment: Assignment, delivery: Delivery) -> None:
    """Show that the bot works on it; workspaces without these features show nothing, which is fine."""
    ticket = assignment.ticket
    if isinstance(delivery, PrivateDelivery):
        return
    await asyncio.sleep(STATUS_AFTER_S)
    try:
        await services.slack.agents_sessions_setStatus(
            channel_id=ticket.channel_id, thread_ts=ticket.thread_ts, status="processing"
        )
        if not delivery.ts:
            await services.slack.assistant_threads_setStatus(
                channel_id=ticket.channel_id,
                thread_ts=ticket.thread_ts,
                status=THINKING,
                loading_messages=LOADING_MESSAGES,
            )
    except (SlackApiError, ClientError, TimeoutError) as error:
        log.debug("no status line in %s: %s", ticket.channel_id, error)

"""A question becomes a streamed answer that is stored: generated, recorded, shown in full, closed.

Each step is stored before the next begins, so that after a crash the work goes on where it stood: what was recorded
is not generated again, and what stands in Slack is not posted again. Whatever fails, the asker reads a sentence.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import cast

from sqlmodel import Session

from bot import knowing, posting
from bot.blocks.answer import trying_again
from bot.blocks.content import Content
from bot.closing import closing_of, link_hosts
from bot.delivery import Delivery, MessageDelivery, PrivateDelivery
from bot.joining import said_before
from bot.posting import Place
from bot.prompting import Assignment, assign, assign_again
from bot.services import RunningAnswer, Services
from bot.session_status import show_thinking
from bot.writing import Recipient
from serving.client import Completion
from store import answers, approved, helping, tickets
from store.answers import Outcome
from store.errors import NightschoolError
from store.tickets import Line, Question
from store.words import DeliveryState, Role

log = logging.getLogger(__name__)

STATUS_AFTER_S = 0.1
"""First the question goes to the model; a status line that text would replace at once is not worth a call."""

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


async def answer(
    services: Services, question: Question, attempt: int = 1, before: Sequence[Line] | None = None
) -> None:
    """Answer a question once, however often it is asked for; `attempt` above 1 looks for traces of the one before.

    `before` is what was said in the thread until then, where it has been read already.
    """
    if services.running.holds(question.key):
        return
    with services.running.entry(question.channel_id, question.thread_ts, question.key) as running:
        if before is None:
            before = await said_before(services, question)
        memory = await knowing.memory_for(services, question.team_id, question.channel_id, question.text)
        assignment = await services.store.write(assign, services.settings, question, memory, before)
        if assignment is not None:
            await _carry_out(services, assignment, running, again=attempt > 1)


async def answer_again(services: Services, retry: Retry, attempt: int = 1) -> None:
    """Generate a failed answer anew and show it in the message that said so."""
    assignment = await services.store.write(assign_again, retry.answer_id, retry.response_url)
    if assignment is not None:
        await answer_in_place(services, assignment, trying_again(), attempt)


async def answer_in_place(services: Services, assignment: Assignment, meanwhile: Content, attempt: int) -> None:
    """Answer in the message that stands there already; until there is text, it shows `meanwhile`."""
    ticket, given = assignment.ticket, assignment.answer
    if services.running.holds(given.event_id):
        return
    with services.running.entry(ticket.channel_id, ticket.thread_ts, given.event_id) as running:
        if given.message_ts:
            metadata = posting.answer_metadata(given.id or 0)
            await posting.end_stream(services, ticket.channel_id, given.message_ts)
            await posting.update(services, ticket.channel_id, given.message_ts, meanwhile, metadata)
        await _carry_out(services, assignment, running, again=attempt > 1)


async def _carry_out(services: Services, assignment: Assignment, running: RunningAnswer, *, again: bool) -> None:
    delivery = await _delivery(services, assignment, running, again=again)
    status = asyncio.create_task(_say_thinking(services, assignment, delivery))
    try:
        outcome = await _outcome(services, assignment, running, delivery)
        status.cancel()
        with suppress(asyncio.CancelledError):
            await status
        if running.replaced:
            await delivery.leave()
            return
        await services.store.write(answers.record, assignment.answer.id or 0, outcome)
        await _close(services, assignment, delivery, outcome)
    finally:
        status.cancel()
        delivery.abandon()


async def _delivery(services: Services, assignment: Assignment, running: RunningAnswer, *, again: bool) -> Delivery:
    given, ticket = assignment.answer, assignment.ticket
    if tickets.is_private(ticket):
        return PrivateDelivery(services, assignment.response_url)
    place = Place(ticket.channel_id, ticket.thread_ts)
    answer_id = given.id or 0
    known = answers.standing(given)
    if again and not known and (found := await posting.find_answer(services, place, answer_id)):
        known = [found]
    if again and known:
        await posting.end_stream(services, ticket.channel_id, known[-1])

    async def standing(timestamps: list[str]) -> None:
        await services.store.write(answers.standing_at, answer_id, timestamps)

    recipient = Recipient(place, ticket.team_id, assignment.asker_id, answer_id, running.stop)
    delivery = MessageDelivery(services, recipient, standing, known)
    delivery.link_hosts = link_hosts(services.settings, given.passages)
    return delivery


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
    closing = await services.store.read(closing_of, services.settings, answer_id, outcome)
    stands = await delivery.close(outcome.text, closing)
    if not stands:
        log.info("answer %d was deleted in Slack while it was written", answer_id)
        await services.store.write(answers.lose, answer_id)
    if not await services.store.write(_record_close, assignment, outcome, delivery.timestamps):
        await posting.delete_all(services, assignment.ticket.channel_id, delivery.timestamps)


def _record_close(session: Session, assignment: Assignment, outcome: Outcome, timestamps: list[str]) -> bool:
    given, ticket = assignment.answer, assignment.ticket
    if not answers.close(session, given.id or 0, outcome.state, timestamps):
        return False
    if outcome.text and outcome.state != DeliveryState.FAILED:
        ts = timestamps[-1] if timestamps else helping.private_line(given.question_ts)
        tickets.put_line(session, ticket.id or 0, Line(ts, "", Role.BOT, outcome.text))
        tickets.answered(session, ticket.id or 0)
    return True


async def _say_thinking(services: Services, assignment: Assignment, delivery: Delivery) -> None:
    ticket = assignment.ticket
    if tickets.is_private(ticket):
        return
    await asyncio.sleep(STATUS_AFTER_S)
    await show_thinking(services, Place(ticket.channel_id, ticket.thread_ts), line=not delivery.timestamps)

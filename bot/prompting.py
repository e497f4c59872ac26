"""From a thread to the messages for the model: the newest turns that fit its context, the question last."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from bot import notices
from bot.questions import room_in_tokens, tokens_in
from serving import rollout
from store import answers, gaps, tickets
from store.approved import asked_in, serve
from store.channels import settings_of
from store.knowledge.shelf import ToldPassage
from store.memory import Memory
from store.prompt import messages_for, with_passages
from store.settings import Settings
from store.tables import Answer, Message, Ticket, now
from store.tickets import Line, Question
from store.words import Arm, DeliveryState, Role

NO_DOCUMENT = (
    "No document answers this, and in this channel I answer from documents alone. Ask in other words, or press "
    "*I need a human*."
)


@dataclass(frozen=True)
class Assignment:
    """An answer to be given: what to send to which version, and what has been done of it before a crash."""

    answer: Answer
    ticket: Ticket
    asker_id: str
    response_url: str = ""

    @property
    def model(self) -> str:
        """The version that answers."""
        return self.answer.adapter


@dataclass(frozen=True)
class Given:
    """An answer to be prepared, its ticket, and the line that asks for it."""

    answer: Answer
    ticket: Ticket
    asked: Line


def assign(
    session: Session,
    settings: Settings,
    question: Question,
    memory: Memory,
    before: Sequence[Line] = (),
) -> Assignment | None:
    """Take a question up: ticket, transcript and answer are stored; None when it is answered already.

    `before` is what was said in the thread before the bot was called into it.
    """
    ticket = tickets.open_ticket(session, question)
    role = Role.ASKER if question.person_id == ticket.asker_id else Role.HELPER
    asked = Line(question.ts, question.person_id, role, question.text)
    for line in (*before, asked):
        tickets.add_line(session, ticket.id or 0, line)
    answer = answers.take_up(session, ticket, question.key, question.ts)
    if answer.state not in answers.UNFINISHED:
        return None
    notices.owe_to_person(session, settings, question)
    prepare(session, settings, Given(answer, ticket, asked), memory)
    return Assignment(answer, ticket, question.person_id, question.response_url)


def prepare(session: Session, settings: Settings, given: Given, memory: Memory) -> None:
    """Choose the version that answers and what it is told, unless a crash has left both."""
    answer, ticket, asked = given.answer, given.ticket, given.asked
    _choose_version(session, ticket, answer)
    if answer.completed_at is None:
        # A version that is being tried answers by itself, and what it is asked counts nowhere.
        trial = answer.arm == Arm.TRIAL
        serve(answer, None if trial else memory.approved.find(session, settings, asked_in(ticket, asked)))
        if not trial:
            gaps.heard(session, answer)
    if not answer.messages:
        look_up(session, settings, given, memory)


def assign_again(session: Session, answer_id: int, response_url: str) -> Assignment | None:
    """Take a failed answer up once more, with the same messages; None when it has not failed (any more)."""
    answers.reopen(session, answer_id)
    answer, ticket = answers.with_ticket(session, answer_id)
    if answer.state not in answers.UNFINISHED:
        return None
    _choose_version(session, ticket, answer)
    return Assignment(answer, ticket, ticket.asker_id, response_url)


def _choose_version(session: Session, ticket: Ticket, answer: Answer) -> None:
    # What was generated before a crash keeps the version that generated it.
    if answer.state == DeliveryState.PENDING and not answer.text:
        answer.adapter, answer.arm = rollout.model_for(session, ticket)


def look_up(session: Session, settings: Settings, given: Given, memory: Memory) -> None:
    """Put together what the model is told: the conversation, and the passages that the channel lets it look up.

    Where only documents may answer and none does, that is the answer.
    """
    answer, ticket, asked = given.answer, given.ticket, given.asked
    channel = settings_of(session, ticket.team_id, ticket.channel_id)
    chat = _messages(session, settings, given, channel.persona)
    answer.messages = chat
    if not channel.documents:
        return
    shelf = memory.shelf
    if channel.documents_only and shelf.certainty(asked.text, ticket.channel_id) < settings.knowledge.least_certainty:
        if answer.approved_by is None:
            answer.text, answer.completed_at = NO_DOCUMENT, now()
        return
    found = shelf.find(asked.text, ticket.channel_id, settings.knowledge.passages, memory.meaning)
    # The channel's persona stands in the first turn, beside the system prompt that the room leaves out already.
    said = sum(tokens_in(turn["content"]) for turn in chat) - tokens_in(settings.system_prompt)
    told = fitting_passages(found, room_in_tokens(settings) - said)
    answer.passages = [passage.kept() for passage in told]
    chat[0]["content"] = with_passages(chat[0]["content"], [(one.number, one.label, one.text) for one in told])


def fitting_passages(found: Sequence[ToldPassage], room: int) -> list[ToldPassage]:
    """The best passages that fit into so many tokens, in their order."""
    kept: list[ToldPassage] = []
    for passage in found:
        room -= tokens_in(passage.title + passage.heading + passage.text)
        if room < 0:
            break
        kept.append(passage)
    return kept


def _messages(session: Session, settings: Settings, given: Given, persona: str) -> list[dict[str, str]]:
    ticket, asked = given.ticket, given.asked
    said = tickets.transcript(session, ticket.id or 0, settings.history_messages + 1)
    before = [line for line in said if line.ts < asked.ts][-settings.history_messages :]
    question = Message(
        ticket_id=ticket.id or 0, ts=asked.ts, person_id=asked.person_id, role=Role.ASKER, text=asked.text
    )
    turns = fitting(settings, [*before, question], reserved=tokens_in(persona) if persona else 0)
    prompt = f"{settings.system_prompt}\n\n{persona}".strip()
    return [{"role": turn["role"], "content": turn["content"]} for turn in messages_for(prompt, turns)]


def fitting(settings: Settings, turns: list[Message], reserved: int = 0) -> list[Message]:
    """The newest turns that leave room for the answer and `reserved` tokens; the last one always stays."""
    room = room_in_tokens(settings) - reserved - tokens_in(turns[-1].text)
    kept = [turns[-1]]
    for turn in reversed(turns[:-1]):
        room -= tokens_in(turn.text)
        if room < 0:
            break
        kept.insert(0, turn)
    return kept

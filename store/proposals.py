"""Proposals: what people themselves replied after a bad answer or a hand-over, for a reviewer to approve."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from store.near_questions import plain
from store.tables import Answer, Channel, Message, Proposal, Ticket, Vote
from store.words import Arm, DeliveryState, ProposalState, Role, TicketStatus, VoteValue

_PLEASANTRIES = """
a again all and any appreciated bye cheers cool done fine for glad good great have hello help helped helping hey hi is
it lot many morning much nice no noted np of ok okay perfect please same so sorry super sure ta thank thanks that the
this to too thx ty very welcome will worked works yes you your yw
"""
"""A line of nothing but these words answers nothing."""

_OPENINGS = (["cheers"], ["hello"], ["hey"], ["hi"], ["thank"], ["thanks"], ["thx"], ["ty"])
MOST_WORDS_OF_THANKS = 3
"""A short line that opens like this names somebody: “thanks Tom”."""

_THANKS = frozenset(_PLEASANTRIES.split())
_GONE = (DeliveryState.WITHDRAWN, DeliveryState.SUPERSEDED)
_EMOJI_NAME = re.compile(r":[a-z0-9_+\-']+(?:::skin-tone-\d)?:", re.IGNORECASE)


@dataclass(frozen=True)
class _Run:
    """Lines that one helper wrote in a row."""

    person_id: str
    lines: list[Message]

    @property
    def text(self) -> str:
        return "\n".join(line.text.strip() for line in self.lines)


def of_answer(session: Session, answer_id: int) -> list[Proposal]:
    """What people propose to say instead of an answer and nobody has decided on, the latest first."""
    return list(
        session.exec(
            select(Proposal)
            .where(Proposal.answer_id == answer_id, Proposal.state == ProposalState.OPEN)
            .order_by(col(Proposal.ts).desc())
        )
    )


def follow(session: Session, ticket_id: int) -> None:
    """Bring a ticket's proposals in line with its thread: new replies, edits, deletions, votes, a hand-over.

    What a reviewer has used or dismissed stays as it is.
    """
    session.flush()
    ticket = session.get_one(Ticket, ticket_id)
    said = session.exec(
        select(Message)
        .where(Message.ticket_id == ticket_id, col(Message.deleted).is_(False))
        .order_by(col(Message.ts), col(Message.id))
    ).all()
    given = session.exec(select(Answer).where(Answer.ticket_id == ticket_id).order_by(col(Answer.id))).all()
    bad = _bad(session, ticket, given)
    wanted = {
        (answer_id, run.lines[0].ts): run
        for answer_id, run in _runs(said, given)
        if answer_id in bad and ticket.status != TicketStatus.WITHDRAWN
    }
    _store(session, [answer.id for answer in given], wanted)


def _runs(said: Sequence[Message], given: Sequence[Answer]) -> list[tuple[int, _Run]]:
    """What helpers wrote, each run with the answer before it; a line that somebody else's line follows ends its run."""
    asked = {answer.question_ts for answer in given}
    runs: list[tuple[int, _Run]] = []
    open_run: _Run | None = None
    for line in said:
        if line.role != Role.HELPER or line.ts in asked:
            open_run = None
            continue
        if not answers_something(line.text):
            continue
        answer_id = _before(line.ts, given)
        if open_run is not None and open_run.person_id == line.person_id and runs[-1][0] == answer_id:
            open_run.lines.append(line)
        elif answer_id is not None:
            open_run = _Run(line.person_id, [line])
            runs.append((answer_id, open_run))
    return runs


def _before(ts: str, given: Sequence[Answer]) -> int | None:
    """The answer to the last question that was asked before this moment."""
    earlier = [answer for answer in given if answer.question_ts < ts and answer.state not in _GONE]
    return earlier[-1].id if earlier else None


def answers_something(text: str) -> bool:
    """Whether a line says more than thanks, a greeting, or an emoji."""
    words = plain(_EMOJI_NAME.sub(" ", text)).split()
    named = words[:1] in _OPENINGS and len(words) <= MOST_WORDS_OF_THANKS
    return not named and any(word not in _THANKS for word in words)


def _bad(session: Session, ticket: Ticket, given: Sequence[Answer]) -> set[int]:
    """The answers that did not help: voted down, failed, not sure, or the last one before a hand-over."""
    by_id = {answer.id: answer for answer in given if answer.id is not None and answer.arm != Arm.HUMAN}
    down = select(Vote.answer_id).where(col(Vote.answer_id).in_(list(by_id)), Vote.value == VoteValue.DOWN)
    bad = set(session.exec(down))
    channel = session.get(Channel, (ticket.team_id, ticket.channel_id))
    least = channel.min_confidence if channel is not None else 0.0
    bad |= {id_ for id_, answer in by_id.items() if answer.state == DeliveryState.FAILED or _unsure(answer, least)}
    if by_id and (ticket.status == TicketStatus.ESCALATED or ticket.escalated_to):
        bad.add(max(by_id))
    return bad


def _unsure(answer: Answer, least: float) -> bool:
    return answer.mean_logprob is not None and math.exp(answer.mean_logprob) < least


def _store(session: Session, answer_ids: list[int | None], wanted: dict[tuple[int, str], _Run]) -> None:
    known = session.exec(select(Proposal).where(col(Proposal.answer_id).in_(answer_ids))).all()
    for proposal in known:
        run = wanted.pop((proposal.answer_id, proposal.ts), None)
        if proposal.state != ProposalState.OPEN:
            continue
        if run is None:
            session.delete(proposal)
        else:
            proposal.text = run.text
    session.add_all(
        Proposal(answer_id=answer_id, person_id=run.person_id, ts=ts, text=run.text)
        for (answer_id, ts), run in wanted.items()
    )

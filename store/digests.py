"""What the weekly digest says: the week in figures, what was answered badly, and what became of the versions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, exists, or_, select

from store.near_questions import NearQuestions
from store.tables import Answer, Night, Promotion, Ticket, Vote
from store.usage import COUNTED, Figures, Span, figures
from store.words import DeliveryState, NightState, Surface, TicketStatus, Visibility, VoteValue

QUESTIONS_SHOWN = 5
QUESTIONS_COMPARED = 500


@dataclass(frozen=True)
class Trouble:
    """A question that got no good answer, and how often it was asked in these or nearly these words."""

    question: str
    times: int


@dataclass(frozen=True)
class Week:
    """A week with the one before it."""

    span: Span
    figures: Figures
    before: Figures
    troubles: Sequence[Trouble]
    moves: Sequence[Promotion]
    nights: Sequence[Night]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all to tell."""
        return not (self.figures.asked or self.before.asked or self.moves or self.nights)


def gather(session: Session, span: Span) -> Week:
    """Everything about a week."""
    moves = select(Promotion).where(Promotion.created_at >= span.since, Promotion.created_at < span.until)
    nights = select(Night).where(
        Night.state != NightState.SCHEDULED, Night.created_at >= span.since, Night.created_at < span.until
    )
    return Week(
        span,
        figures(session, span),
        figures(session, span.before),
        troubles(session, span),
        session.exec(moves.order_by(col(Promotion.id))).all(),
        session.exec(nights.order_by(col(Night.id))).all(),
    )


def troubles(session: Session, span: Span) -> list[Trouble]:
    """The questions without a good answer that were asked most: voted down, failed, or handed to a colleague.

    Only of public channels: the digest is read by people who cannot read the others.
    """
    of_ticket = col(Answer.ticket_id) == col(Ticket.id), col(Answer.arm).in_(COUNTED)
    disliked = exists().where(*of_ticket, col(Vote.answer_id) == col(Answer.id), col(Vote.value) == VoteValue.DOWN)
    failed = exists().where(*of_ticket, col(Answer.state) == DeliveryState.FAILED)
    questions = session.exec(
        select(Ticket.question)
        .where(
            Ticket.created_at >= span.since,
            Ticket.created_at < span.until,
            Ticket.visibility == Visibility.PUBLIC,
            Ticket.surface != Surface.IMPORT,
            Ticket.status != TicketStatus.WITHDRAWN,
            or_(Ticket.status == TicketStatus.ESCALATED, Ticket.escalated_to != "", disliked, failed),
        )
        .order_by(col(Ticket.id).desc())
        .limit(QUESTIONS_COMPARED)
    ).all()
    near = NearQuestions()
    counted = Counter(near.place(question, question) for question in questions)
    return [Trouble(question, times) for question, times in counted.most_common(QUESTIONS_SHOWN)]

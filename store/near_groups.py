"""Answers to nearly the same question, grouped as they come: locality-sensitive hashing in a table.

The first answer of a group stands for it: its question's bands (`near_questions.bands`) are stored, and a later
question that shares one is compared with it exactly. A lookup costs the same however many questions there are, and
every bot that shares the store sees the same groups.
"""

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, func, insert, select

from store.near_questions import NEAR, bands, plain, similarity
from store.tables import Answer, NearBand, Ticket
from store.words import ReviewState

COMPARED = 25


def place(session: Session, answer: Answer, question: str) -> None:
    """Put an answer into the group of the nearest earlier question, or begin a group with it."""
    if not plain(question):
        return
    own = bands(question)
    answer.near_group = _nearest(session, own, question)
    if answer.near_group is None:
        answer.near_group = answer.id
        session.exec(insert(NearBand), params=[{"band": band, "answer_id": answer.id} for band in set(own)])
    session.add(answer)


def _nearest(session: Session, own: list[int], question: str) -> int | None:
    sharing = (
        select(NearBand.answer_id)
        .where(col(NearBand.band).in_(own))
        .group_by(col(NearBand.answer_id))
        .order_by(func.count().desc(), col(NearBand.answer_id))
        .limit(COMPARED)
    )
    firsts = session.exec(
        select(Answer.id, Ticket.question)
        .join(Ticket, col(Answer.ticket_id) == col(Ticket.id))
        .where(col(Answer.id).in_(session.exec(sharing).all()))
    )
    found = [(similarity(question, known), -(id_ or 0)) for id_, known in firsts]
    near = [(alike, id_) for alike, id_ in found if alike >= NEAR]
    return -max(near)[1] if near else None


def same_group(answer: Answer) -> ColumnElement[bool]:
    """Whether an answer is to nearly the same question as this one; never where this one is in no group."""
    # Naming every state lets the index on state and group be used.
    return and_(col(Answer.review_state).in_(list(ReviewState)), col(Answer.near_group) == (answer.near_group or 0))

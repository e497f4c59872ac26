"""Evaluations: a candidate against the champion, ticket by ticket."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlmodel import Session, col, or_, select

from store.errors import BadInput
from store.tables import Evaluation, EvaluationItem
from store.words import GateVerdict


@dataclass(frozen=True)
class KnownAnswer:
    """What a version answered in an earlier evaluation, and how it was scored against which reference."""

    reference: str
    text: str
    scores: dict[str, float]


def latest(session: Session) -> Evaluation | None:
    """The newest evaluation."""
    return session.exec(select(Evaluation).order_by(col(Evaluation.id).desc())).first()


def of_candidate(session: Session, name: str) -> Evaluation | None:
    """The newest evaluation of an adapter as a candidate."""
    newest = col(Evaluation.id).desc()
    return session.exec(select(Evaluation).where(Evaluation.candidate == name).order_by(newest)).first()


def of_night(session: Session, night_id: int) -> Evaluation | None:
    """The evaluation that a night made."""
    return session.exec(select(Evaluation).where(Evaluation.night_id == night_id)).first()


def advises_against(session: Session, name: str) -> bool:
    """Whether the newest evaluation of a version does not recommend it; a version without one is not advised upon."""
    compared = of_candidate(session, name)
    return compared is not None and compared.verdict != GateVerdict.PROMOTE


def check_note(session: Session, name: str, note: str) -> None:
    """An override of the gate needs a reason, which stays on record with the promotion.

    Raises:
        BadInput: the evidence is against promoting this version, and nothing says why to do it all the same.
    """
    if not note.strip() and advises_against(session, name):
        raise BadInput(f"The evidence does not speak for {name}. To promote it all the same, say why.")


def items(session: Session, evaluation_id: int) -> list[EvaluationItem]:
    """The tickets of an evaluation, in the order in which they were answered at the time."""
    query = select(EvaluationItem).where(EvaluationItem.evaluation_id == evaluation_id)
    return list(session.exec(query.order_by(col(EvaluationItem.answer_id))).all())


def add(
    session: Session, evaluation: Evaluation, tickets: Callable[[int], list[EvaluationItem]]
) -> list[EvaluationItem]:
    """Store an evaluation, and the items that `tickets` makes for its id; the stored items."""
    session.add(evaluation)
    session.flush()
    rows = tickets(_id(evaluation))
    session.add_all(rows)
    session.flush()
    return rows


def known_answers(session: Session, model: str, conditions: dict[str, object]) -> dict[int, KnownAnswer]:
    """What a model answered in earlier evaluations under the same conditions, by answer id; newer ones win."""
    query = select(Evaluation).where(or_(Evaluation.candidate == model, Evaluation.champion == model))
    known: dict[int, KnownAnswer] = {}
    for evaluation in session.exec(query.order_by(col(Evaluation.id))).all():
        if evaluation.metrics.get("conditions") != conditions:
            continue
        for item in items(session, _id(evaluation)):
            as_candidate = evaluation.candidate == model
            text = item.candidate_text if as_candidate else item.champion_text
            scores = item.candidate_scores if as_candidate else item.champion_scores
            known[item.answer_id] = KnownAnswer(item.reference, text, scores)
    return known


def _id(evaluation: Evaluation) -> int:
    if evaluation.id is None:
        raise ValueError("the evaluation has not been stored")
    return evaluation.id

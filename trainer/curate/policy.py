"""What may be learnt: who said it, where, and whether a reviewer stands behind it."""

from collections.abc import Collection, Iterable

from store.datasets import ReviewedAnswer
from store.import_tickets import IMPORT
from store.learning_policy import objection, objection_to_place
from store.prompt import ChatMessage, neutralised
from store.settings import NightSettings
from store.tables import Answer, Review, Ticket
from store.thumbs import VotedAnswer
from store.words import DeliveryState, Verdict
from trainer.curate.lesson import NO_REVIEW, Lesson, Tally


def lessons_of(
    reviewed: Iterable[ReviewedAnswer], night: NightSettings, opted_out: Collection[int], tally: Tally
) -> list[Lesson]:
    """The reviewed answers that policy lets us learn from; `opted_out` are tickets with such a person in them."""
    lessons = []
    for row in reviewed:
        if (reason := objection(row, night, opted_out)) is None:
            lessons.append(_lesson(row))
        else:
            tally.count(reason)
    return lessons


def lesson_of_votes(row: VotedAnswer, night: NightSettings, opted_out: Collection[int], tally: Tally) -> Lesson | None:
    """An answer that nobody reviewed as a lesson, where policy lets us learn from it."""
    if reason := objection_to_place(row.ticket, row.answer, night, opted_out):
        tally.count(reason)
        return None
    return Lesson(
        ticket_id=_stored(row.ticket),
        answer_id=_stored(row.answer),
        review_id=NO_REVIEW,
        prompt=[_as_text(turn) for turn in row.answer.messages],
        completion=neutralised(row.answer.text.strip()),
        corrected=False,
        decided_at=max(vote.updated_at for vote in row.votes),
        opening=row.ticket.question,
        asker=row.ticket.asker_id,
    )


def _lesson(row: ReviewedAnswer) -> Lesson:
    corrected = row.review.verdict is Verdict.CORRECTED
    completion = row.review.correction if corrected else row.answer.text
    return Lesson(
        ticket_id=_stored(row.ticket),
        answer_id=_stored(row.answer),
        review_id=_stored(row.review),
        prompt=[_as_text(turn) for turn in row.answer.messages],
        completion=neutralised(completion.strip()),
        corrected=corrected,
        rejected=_rejected(row.answer) if corrected else "",
        decided_at=row.review.updated_at,
        opening=row.ticket.question,
        asker="" if row.ticket.asker_id == IMPORT else row.ticket.asker_id,
        reviewer="" if row.review.reviewer_id == IMPORT else row.review.reviewer_id,
    )


def _rejected(answer: Answer) -> str:
    # What broke off says nothing about what the bot would have said.
    return neutralised(answer.text.strip()) if answer.state == DeliveryState.DELIVERED else ""


def _as_text(turn: dict[str, str]) -> ChatMessage:
    # The system prompt is ours and may hold what it likes; everything else was typed by people or a model.
    content = turn["content"] if turn["role"] == "system" else neutralised(turn["content"])
    return {"role": turn["role"], "content": content}


def _stored(row: Ticket | Answer | Review) -> int:
    if row.id is None:
        raise ValueError("only stored rows can be learnt from")
    return row.id

"""Accepted and corrected answers out of the store, in the chat format that training tools read.

One JSON object a line: `messages` (system, user, assistant) and `metadata`. TRL, Hugging Face `datasets`, and the
fine-tuning services that take OpenAI's format read such a file as it is.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from sqlmodel import Session, col, select

from store import artifacts
from store.errors import BadInput
from store.learning_policy import learnable
from store.prompt import neutralised
from store.session import Store
from store.settings import Settings
from store.tables import Answer, Review, Ticket
from store.words import Verdict


def export_tickets(store: Store, settings: Settings, path: Path) -> int:
    """Write the answers that reviewers accepted or corrected; the number of lines written.

    Only tickets that may be learnt are written, in the order in which they were answered; the file appears whole
    or not at all. The same store gives the same bytes.

    Raises:
        BadInput: the file cannot be written there.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder: name a file to write.")
    with store.reading() as session:
        lines = list(_lines(session, settings))
    try:
        artifacts.write_bytes(path, "".join(lines).encode())
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from error
    return len(lines)


def _lines(session: Session, settings: Settings) -> Iterator[str]:
    rows = session.exec(
        select(Answer, Ticket, Review)
        .join(Ticket, col(Ticket.id) == col(Answer.ticket_id))
        .join(Review, col(Review.answer_id) == col(Answer.id))
        .where(learnable(settings.night))
        .order_by(col(Answer.id), col(Review.updated_at), col(Review.id))
    )
    # Where reviewers disagree the latest word counts: a later row of the same answer takes the place of the former.
    latest = {answer.id: (answer, ticket, review) for answer, ticket, review in rows}
    for answer, ticket, review in latest.values():
        if review.verdict is not Verdict.REJECTED:
            yield _line(answer, ticket, review)


def _line(answer: Answer, ticket: Ticket, review: Review) -> str:
    text = review.correction if review.verdict is Verdict.CORRECTED else answer.text
    messages = [*answer.messages, {"role": "assistant", "content": neutralised(text.strip())}]
    metadata = {
        "ticket": ticket.id,
        "answer": answer.id,
        "verdict": review.verdict.value,
        "topic": ticket.topic,
        "adapter": answer.adapter,
        "surface": ticket.surface.value,
        "asked_at": ticket.created_at.isoformat(),
    }
    return json.dumps({"messages": messages, "metadata": metadata}, ensure_ascii=False) + "\n"

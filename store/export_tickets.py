"""Accepted and corrected answers out of the store, in the chat format that training tools read.

One JSON object a line: `messages` (system, user, assistant) and `metadata`. TRL, Hugging Face `datasets`, and the
fine-tuning services that take OpenAI's format read such a file as it is.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from sqlmodel import Session

from store import artifacts, audit, datasets, people
from store.audit import Act
from store.datasets import ReviewedAnswer
from store.errors import BadInput
from store.learning_policy import objection
from store.prompt import neutralised
from store.session import Store
from store.settings import Settings
from store.words import AuditAction, Verdict


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
    content = "".join(lines).encode()
    facts: dict[str, audit.Fact] = {"answers": len(lines), "sha256": hashlib.sha256(content).hexdigest()}
    # First the record: a file without one must not be, one of an export that then failed may.
    with store.writing() as session:
        audit.note(session, Act(AuditAction.EXPORT, audit.who_runs_this(), details=facts))
    try:
        artifacts.write_bytes(path, content)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}.") from error
    return len(lines)


def _lines(session: Session, settings: Settings) -> Iterator[str]:
    opted_out = datasets.tickets_with(session, people.opted_out(session, settings))
    for row in datasets.reviewed_answers(session):
        if objection(row, settings.night, opted_out) is None:
            yield _line(row)


def _line(row: ReviewedAnswer) -> str:
    ticket, answer, review = row.ticket, row.answer, row.review
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

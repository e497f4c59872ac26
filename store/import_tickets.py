"""Past tickets into the store, as accepted answers to learn from: what `nightschool import FILE` does."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, insert, select

from store import artifacts, audit
from store.audit import Act
from store.errors import BadInput
from store.prompt import question_messages
from store.session import Store, insert_ignoring
from store.settings import Settings
from store.tables import Answer, Message, Review, Ticket, now
from store.ticket_files import BadLine, PastTicket, TicketFile
from store.words import Arm, AuditAction, DeliveryState, ReviewState, Role, Surface, TicketStatus, Verdict, Visibility

IMPORT = "import"
"""Stands for team, channel and reviewer, and for the asker of a ticket whose file names none."""

HUMAN = "human"
"""Stands for the adapter: a person wrote the answer."""

BATCH = 500

Progress = Callable[[int, int], None]
"""Told after each batch how many bytes of the file have been read, and how many there are."""


@dataclass
class ImportReport:
    """What became of each line of a file."""

    encoding: str
    added: int = 0
    already_there: int = 0
    bad: list[BadLine] = field(default_factory=list)
    unseen_columns: list[str] = field(default_factory=list)
    """Names given in the mapping that no line of the file had."""

    def in_words(self, shown: int) -> str:
        """The counts, what to look at, and the first `shown` bad lines."""
        said = [f"{self.added:,} added, {self.already_there:,} already there, {len(self.bad):,} bad."]
        if not self.encoding.startswith("utf"):
            said.append(f"The file is not UTF-8; it was read as {self.encoding}.")
        said += [f"No line has a field {column!r}: check --map." for column in self.unseen_columns]
        said += [str(line) for line in self.bad[:shown]]
        if len(self.bad) > shown:
            said.append(f"and {len(self.bad) - shown:,} more (--errors FILE writes them all)")
        return "\n".join(said)

    def write_bad_lines(self, path: Path) -> None:
        """Write every bad line's number and reason to a file.

        Raises:
            BadInput: the file cannot be written there.
        """
        try:
            artifacts.write_bytes(path, "".join(f"{line}\n" for line in self.bad).encode())
        except OSError as error:
            raise BadInput(f"{path} cannot be written: {error.strerror}.") from error


def import_tickets(
    store: Store,
    settings: Settings,
    path: Path,
    mapping: Mapping[str, str] | None = None,
    on_progress: Progress | None = None,
) -> ImportReport:
    """Add the good lines of a file as resolved tickets with an accepted answer; list the bad ones.

    A ticket is known by its question and answer: what is there already, from this file or another, is counted and
    left alone. Batches are committed one by one, so an import that was cut short goes on when it is started again.

    Args:
        store: where the tickets go.
        settings: the system prompt under which they are stored.
        path: a JSONL or CSV file.
        mapping: our field names to the file's, where they differ.
        on_progress: told how far the reading is.

    Raises:
        BadInput: the file cannot be used at all; nothing was changed.
    """
    file = TicketFile(path, mapping)
    report = ImportReport(encoding=file.encoding)
    lines = iter(file)
    while batch := list(islice(lines, BATCH)):
        tickets = [line for line in batch if isinstance(line, PastTicket)]
        report.bad.extend(line for line in batch if isinstance(line, BadLine))
        with store.writing() as session:
            added = _add(session, tickets, settings.system_prompt, path.name)
            if added:
                audit.note(session, Act(AuditAction.IMPORT, audit.who_runs_this(), details={"tickets": added}))
        report.added += added
        report.already_there += len(tickets) - added
        if on_progress is not None:
            on_progress(file.position, file.size)
    report.unseen_columns = sorted(file.unseen)
    return report


def _add(session: Session, tickets: Iterable[PastTicket], system_prompt: str, file_name: str) -> int:
    new = [ticket for ticket in tickets if insert_ignoring(session, Ticket, _ticket_row(ticket, file_name))]
    if not new:
        return 0
    ticket_ids = dict(
        session.exec(
            select(Ticket.thread_ts, Ticket.id).where(
                Ticket.team_id == IMPORT, col(Ticket.thread_ts).in_([_thread_ts(ticket) for ticket in new])
            )
        ).all()
    )
    placed = [(ticket, ticket_ids[_thread_ts(ticket)]) for ticket in new]
    session.exec(insert(Message), params=[row for ticket, id_ in placed for row in _message_rows(ticket, id_)])
    session.exec(insert(Answer), params=[_answer_row(ticket, id_, system_prompt) for ticket, id_ in placed])
    answer_ids = session.exec(select(Answer.id).where(col(Answer.ticket_id).in_(ticket_ids.values()))).all()
    session.exec(
        insert(Review),
        params=[{"answer_id": id_, "reviewer_id": IMPORT, "verdict": Verdict.ACCEPTED} for id_ in answer_ids],
    )
    return len(new)


def _thread_ts(ticket: PastTicket) -> str:
    return f"import-{ticket.key}"


def _answer_ts(ticket: PastTicket) -> str:
    return f"import-{ticket.key}-answer"


def _ticket_row(ticket: PastTicket, file_name: str) -> dict[str, Any]:
    moment = ticket.created_at or now()
    return {
        "team_id": IMPORT,
        "channel_id": IMPORT,
        "thread_ts": _thread_ts(ticket),
        "asker_id": ticket.asker or IMPORT,
        "surface": Surface.IMPORT,
        "visibility": Visibility.PUBLIC,
        "status": TicketStatus.RESOLVED,
        "question": ticket.question,
        "topic": ticket.topic,
        "details": {"file": file_name, "line": ticket.line, "id": ticket.id},
        "created_at": moment,
        "updated_at": moment,
    }


def _message_rows(ticket: PastTicket, ticket_id: int | None) -> list[dict[str, Any]]:
    moment = ticket.created_at or now()
    asked = {"ts": _thread_ts(ticket), "person_id": ticket.asker or IMPORT, "role": Role.ASKER, "text": ticket.question}
    answered = {"ts": _answer_ts(ticket), "person_id": IMPORT, "role": Role.HELPER, "text": ticket.answer}
    return [row | {"ticket_id": ticket_id, "created_at": moment} for row in (asked, answered)]


def _answer_row(ticket: PastTicket, ticket_id: int | None, system_prompt: str) -> dict[str, Any]:
    moment = ticket.created_at or now()
    return {
        "ticket_id": ticket_id,
        "event_id": _thread_ts(ticket),
        "question_ts": _thread_ts(ticket),
        "channel_id": IMPORT,
        "message_ts": _answer_ts(ticket),
        "messages": question_messages(system_prompt, ticket.question),
        "text": ticket.answer,
        "adapter": HUMAN,
        "arm": Arm.HUMAN,
        "state": DeliveryState.DELIVERED,
        "review_state": ReviewState.SETTLED,
        "created_at": moment,
        "completed_at": moment,
    }

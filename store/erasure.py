"""Forgetting a person: what they wrote and what was answered to them is wiped, and it cannot come back.

Rows stay as empty tombstones: their keys keep Slack's redelivery out, and the lineage still says which versions have
seen them. A model that was trained on personal data is not anonymous by itself (EDPB Opinion 28/2024), so these
versions are named, and by default cannot be promoted again.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, cast
from sqlmodel import Session, col, delete, select, update

from store import alerts, audit, datasets, lineage
from store.audit import Act
from store.errors import BadInput
from store.tables import (
    Adapter,
    Answer,
    Dataset,
    DatasetRow,
    DutyGrant,
    Erasure,
    EvaluationItem,
    InboxEvent,
    KnowledgeGap,
    KnowledgeGapTicket,
    Message,
    OutboxMessage,
    Person,
    Proposal,
    Review,
    ReviewClaim,
    ReviewDesk,
    ReviewSkip,
    SplitGroup,
    Ticket,
    TrainingRun,
    Trial,
    Vote,
    now,
)
from store.words import AuditAction, DeliveryState, GapState, InboxState, ProposalState, Split, TicketStatus

FORGOTTEN = "forgotten"
"""Stands where the id of a forgotten person stood; in reviews with a random part, one for each."""

WIPED = "(erased)"

_OF_A_PERSON: list[tuple[Any, Any]] = [
    (Person, Person.person_id),
    (DutyGrant, DutyGrant.person_id),
    (Trial, Trial.person_id),
    (ReviewClaim, ReviewClaim.reviewer_id),
    (ReviewSkip, ReviewSkip.reviewer_id),
    (ReviewDesk, ReviewDesk.reviewer_id),
]
"""What is about nobody else, with the column that says whose it is."""


@dataclass(frozen=True)
class Erased:
    """How much was wiped, and the versions that were trained on some of it."""

    tickets: int
    messages: int
    answers: int
    votes: int
    events: int
    versions: list[str]


def forget(session: Session, person_id: str, asked_by: str = "") -> Erased:
    """Wipe all that a person wrote and all that was answered to them; once more finds nothing.

    Reviews that they decided stay, without their name: they are about the answers of others. So does the record of
    what an admin did to versions, and the audit log, in which nobody can tell any more that it was this person.

    Raises:
        BadInput: no person is named.
    """
    if not person_id or person_id.startswith(FORGOTTEN):
        raise BadInput("Name a person by their Slack id, such as U0ANA000001.")
    asked = _ids(session, select(Ticket.id).where(Ticket.asker_id == person_id))
    joined = _ids(session, select(Message.ticket_id).where(Message.person_id == person_id)) - asked
    versions = lineage.versions_of(session, asked | joined)
    for ticket_id in sorted(asked | joined):
        session.merge(Erasure(ticket_id=ticket_id))
    alerts.forget(session, person_id, _ids(session, select(Answer.id).where(col(Answer.ticket_id).in_(asked | joined))))
    erased = Erased(
        tickets=len(asked),
        messages=_wipe_others_threads(session, person_id, joined) + _wipe_messages(session, asked),
        answers=_wipe_tickets(session, asked),
        votes=_wipe_opinions(session, person_id),
        events=_wipe_events(session, person_id),
        versions=versions,
    )
    facts: dict[str, audit.Fact] = {"tickets": erased.tickets, "answers": erased.answers, "versions": versions}
    audit.note(session, Act(AuditAction.FORGET, asked_by, person=person_id, details=facts))
    audit.forget(session, person_id)
    return erased


def _frozen_before() -> Any:
    """Rows of datasets that were frozen before somebody in their ticket was forgotten."""
    return (
        select(DatasetRow.dataset_id, DatasetRow.ticket_id)
        .join(Dataset, col(Dataset.id) == col(DatasetRow.dataset_id))
        .join(Erasure, col(Erasure.ticket_id) == col(DatasetRow.ticket_id))
        .where(col(Dataset.created_at) < col(Erasure.created_at))
    )


def tainted(session: Session, adapter_name: str) -> bool:
    """Whether a version was trained on what somebody wrote who has been forgotten since."""
    of_adapter = (
        _frozen_before()
        .join(TrainingRun, col(TrainingRun.dataset_id) == col(DatasetRow.dataset_id))
        .join(Adapter, col(Adapter.training_run_id) == col(TrainingRun.id))
        .where(Adapter.name == adapter_name, DatasetRow.split == Split.TRAIN)
    )
    return session.exec(of_adapter).first() is not None


def to_purge(session: Session) -> dict[int, set[int]]:
    """The tickets that must not be in a dataset any more, by the dataset's number."""
    found: dict[int, set[int]] = {}
    for dataset_id, ticket_id in session.exec(_frozen_before()):
        found.setdefault(dataset_id, set()).add(ticket_id)
    return found


def _ids(session: Session, query: Any) -> set[int]:
    return {found for found in session.exec(query) if found is not None}


def _wipe_others_threads(session: Session, person_id: str, tickets: Collection[int]) -> int:
    """What the person said in the threads of others, also where it was sent to the model. The thread itself stays."""
    said = session.exec(select(Message.text).where(Message.person_id == person_id)).all()
    for answer in session.exec(select(Answer).where(col(Answer.ticket_id).in_(tickets))):
        answer.messages = [
            {**turn, "content": WIPED} if any(text and text in turn["content"] for text in said) else turn
            for turn in answer.messages
        ]
    theirs = col(Message.person_id) == person_id
    return _changed(session, update(Message).where(theirs).values(text="", deleted=True, person_id=FORGOTTEN))


def _wipe_messages(session: Session, tickets: Collection[int]) -> int:
    in_theirs = col(Message.ticket_id).in_(tickets) & (col(Message.text) != "")
    return _changed(session, update(Message).where(in_theirs).values(text="", deleted=True))


def _wipe_tickets(session: Session, tickets: Collection[int]) -> int:
    """The person's own tickets with everything that hangs on them."""
    theirs = select(Answer.id).where(col(Answer.ticket_id).in_(tickets))
    session.exec(update(Vote).where(col(Vote.answer_id).in_(theirs)).values(comment="", suggestion=""))
    session.exec(update(Review).where(col(Review.answer_id).in_(theirs)).values(correction="", note=""))
    session.exec(
        update(Proposal).where(col(Proposal.answer_id).in_(theirs)).values(text="", state=ProposalState.DISMISSED)
    )
    session.exec(
        update(EvaluationItem)
        .where(col(EvaluationItem.ticket_id).in_(tickets))
        .values(reference="", candidate_text="", champion_text="")
    )
    gaps = select(KnowledgeGapTicket.gap_id).where(col(KnowledgeGapTicket.ticket_id).in_(tickets))
    session.exec(
        update(KnowledgeGap).where(col(KnowledgeGap.id).in_(gaps)).values(question=WIPED, state=GapState.CLOSED)
    )
    session.exec(
        update(Ticket)
        .where(col(Ticket.id).in_(tickets))
        .values(
            question="",
            topic="",
            details={},
            asker_id=FORGOTTEN,
            trainable=False,
            status=TicketStatus.WITHDRAWN,
            updated_at=now(),
        )
    )
    gone = {"messages": [], "passages": [], "text": "", "error": "", "state": DeliveryState.WITHDRAWN}
    return _changed(session, update(Answer).where(col(Answer.ticket_id).in_(tickets)).values(**gone))


def _wipe_opinions(session: Session, person_id: str) -> int:
    # A word of their own, since an answer has one review of each reviewer and agreement is counted between them.
    nobody = f"{FORGOTTEN}-{secrets.token_hex(4)}"
    session.exec(update(Review).where(col(Review.reviewer_id) == person_id).values(reviewer_id=nobody, note=""))
    session.exec(
        update(Proposal)
        .where(col(Proposal.person_id) == person_id)
        .values(person_id=FORGOTTEN, text="", state=ProposalState.DISMISSED)
    )
    session.exec(update(Ticket).where(col(Ticket.resolved_by) == person_id).values(resolved_by=FORGOTTEN))
    session.exec(update(KnowledgeGap).where(col(KnowledgeGap.closed_by) == person_id).values(closed_by=FORGOTTEN))
    session.exec(update(KnowledgeGap).where(col(KnowledgeGap.owner_id) == person_id).values(owner_id=""))
    # The name is a hash of the id, which whoever knows all ids of a workspace could look for.
    session.exec(delete(SplitGroup).where(col(SplitGroup.id) == datasets.asker_group(person_id)))
    for table, person in _OF_A_PERSON:
        session.exec(delete(table).where(col(person) == person_id))
    return _changed(session, delete(Vote).where(col(Vote.person_id) == person_id))


def _wipe_events(session: Session, person_id: str) -> int:
    """Events as Slack sent them, and messages owed, that name the person; what was not done yet is dropped."""
    mentions = cast(col(OutboxMessage.payload), String).contains(person_id)
    session.exec(update(OutboxMessage).where(mentions).values(payload={}))
    named = cast(col(InboxEvent.body), String).contains(person_id)
    wiped = {"body": {}, "state": InboxState.DONE, "error": ""}
    return _changed(session, update(InboxEvent).where(named).values(**wiped))


def _changed(session: Session, statement: Any) -> int:
    changed: Any = session.exec(statement)
    return int(changed.rowcount)

"""The tables: one class a noun, a module a theme. The nouns are explained in docs/design.md."""

from store.tables.audit import AuditEntry, AuditHead, AuditPerson
from store.tables.columns import BASE, UTCDateTime, now
from store.tables.conversations import Answer, InboxEvent, Message, OutboxMessage, Ticket, Vote
from store.tables.knowledge import Document, Passage, PassageVector
from store.tables.nights import (
    Dataset,
    DatasetRow,
    Evaluation,
    EvaluationItem,
    Night,
    NightStage,
    SplitGroup,
    TrainingRun,
)
from store.tables.places import Channel, DutyGrant, Erasure, Person
from store.tables.reviewing import (
    Contradiction,
    KnowledgeGap,
    KnowledgeGapTicket,
    NearBand,
    Proposal,
    Review,
    ReviewClaim,
    ReviewDesk,
    ReviewSkip,
)
from store.tables.versions import Adapter, Alias, Canary, Lease, Promotion, Trial

__all__ = [
    "BASE",
    "Adapter",
    "Alias",
    "Answer",
    "AuditEntry",
    "AuditHead",
    "AuditPerson",
    "Canary",
    "Channel",
    "Contradiction",
    "Dataset",
    "DatasetRow",
    "Document",
    "DutyGrant",
    "Erasure",
    "Evaluation",
    "EvaluationItem",
    "InboxEvent",
    "KnowledgeGap",
    "KnowledgeGapTicket",
    "Lease",
    "Message",
    "NearBand",
    "Night",
    "NightStage",
    "OutboxMessage",
    "Passage",
    "PassageVector",
    "Person",
    "Promotion",
    "Proposal",
    "Review",
    "ReviewClaim",
    "ReviewDesk",
    "ReviewSkip",
    "SplitGroup",
    "Ticket",
    "TrainingRun",
    "Trial",
    "UTCDateTime",
    "Vote",
    "now",
]

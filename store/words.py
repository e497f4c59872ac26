"""The words that columns may hold, each with one documented meaning."""

from enum import StrEnum


class Surface(StrEnum):
    """Where in Slack a ticket was opened."""

    MENTION = "mention"
    CHANNEL = "channel"
    """Asked without a mention, in a channel whose questions are all answered."""
    DIRECT_MESSAGE = "direct_message"
    COMMAND = "command"
    SHORTCUT = "shortcut"
    IMPORT = "import"


class Visibility(StrEnum):
    """Who could read the thread."""

    PUBLIC = "public"
    PRIVATE = "private"
    DIRECT = "direct"


class TicketStatus(StrEnum):
    """How far a ticket has come."""

    OPEN = "open"
    ANSWERED = "answered"
    RESOLVED = "resolved"
    ESCALATED = "escalated"
    WITHDRAWN = "withdrawn"


class Role(StrEnum):
    """Who wrote a message of a thread."""

    ASKER = "asker"
    HELPER = "helper"
    BOT = "bot"


class Arm(StrEnum):
    """In which part of a roll-out an answer was given; `human` marks an imported answer."""

    CHAMPION = "champion"
    CANARY = "canary"
    SHADOW = "shadow"
    TRIAL = "trial"
    """An admin tries a version in their direct message; such answers are not counted, reviewed or learnt."""
    HUMAN = "human"


class DeliveryState(StrEnum):
    """How far an answer has come on its way to the asker."""

    PENDING = "pending"
    STREAMING = "streaming"
    DELIVERED = "delivered"
    STOPPED = "stopped"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    """The question was edited and another answer took its place."""


class VoteValue(StrEnum):
    """One person's opinion of one answer."""

    UP = "up"
    DOWN = "down"


class VoteReason(StrEnum):
    """Why an answer was voted down."""

    WRONG = "wrong"
    OUTDATED = "outdated"
    INCOMPLETE = "incomplete"
    UNCLEAR = "unclear"
    TONE = "tone"
    NOT_ALLOWED = "not_allowed"


class VoteSource(StrEnum):
    """By which gesture a vote was given."""

    BUTTON = "button"
    REACTION = "reaction"


class Verdict(StrEnum):
    """A reviewer's decision on an answer."""

    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    REJECTED = "rejected"


class ReviewState(StrEnum):
    """Whose turn it is with an answer."""

    WAITING = "waiting"
    """Nobody has decided on it."""
    SECOND = "second"
    """It was drawn for two reviewers, and one of them has decided."""
    THIRD = "third"
    """Two reviewers disagree."""
    CONTRADICTED = "contradicted"
    """It was decided on, but contradicts another answer to the same question."""
    SETTLED = "settled"


class QueueFilter(StrEnum):
    """Which of the answers that wait a reviewer looks at."""

    ALL = "all"
    VOTED_DOWN = "voted_down"
    ESCALATED = "escalated"
    UNSURE = "unsure"
    PROPOSED = "proposed"
    SECOND_OPINION = "second_opinion"
    CONTRADICTED = "contradicted"


class ProposalState(StrEnum):
    """What became of a correction that a person's own reply proposes."""

    OPEN = "open"
    USED = "used"
    DISMISSED = "dismissed"


class GapState(StrEnum):
    """Whether somebody has to write down what the documents lack."""

    OPEN = "open"
    CLOSED = "closed"


class Answering(StrEnum):
    """Which messages of a channel are answered."""

    OFF = "off"
    MENTIONS = "mentions"
    QUESTIONS = "questions"


class Duty(StrEnum):
    """What a person may do beyond asking; admins may do what reviewers may."""

    REVIEWER = "reviewer"
    ADMIN = "admin"


class Cause(StrEnum):
    """What a bad answer lacked: facts by retrieval, behaviour by training."""

    KNOWLEDGE = "knowledge"
    BEHAVIOUR = "behaviour"
    RETRIEVAL = "retrieval"
    POLICY = "policy"


class InboxState(StrEnum):
    """How far a stored Slack event has come."""

    RECEIVED = "received"
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"


class OutboxState(StrEnum):
    """Whether a message of our own has reached Slack."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class Split(StrEnum):
    """Whether a group of near-duplicate tickets is learnt from or measured on."""

    TRAIN = "train"
    HELD_OUT = "held_out"


class ItemKind(StrEnum):
    """Why a ticket is asked of candidate and champion."""

    HELD_OUT = "held_out"
    """Neither has learnt from it: what the comparison rests on."""
    CORRECTION = "correction"
    """A reviewer has put it right, and it shall stay right."""


class DatasetKind(StrEnum):
    """What kind of training rows a dataset holds."""

    SFT = "sft"
    DPO = "dpo"
    KTO = "kto"


class NightState(StrEnum):
    """How far a night has come; `scheduled` waits for its date, `declined` found nothing to learn.

    A `cancelled` one was ended by a person, and goes on where it stood when somebody asks for a night soon after.
    """

    SCHEDULED = "scheduled"
    REQUESTED = "requested"
    RUNNING = "running"
    DONE = "done"
    DECLINED = "declined"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """The steps of a night, in their order: a version is evaluated as it is served, so under its registered name."""

    CURATE = "curate"
    TRAIN = "train"
    REGISTER = "register"
    EVALUATE = "evaluate"
    REPORT = "report"


class StageState(StrEnum):
    """How far one step of a night has come."""

    RUNNING = "running"
    DONE = "done"
    DECLINED = "declined"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AdapterState(StrEnum):
    """Where an adapter is in its life."""

    CANDIDATE = "candidate"
    CANARY = "canary"
    CHAMPION = "champion"
    RETIRED = "retired"
    REJECTED = "rejected"


class GateVerdict(StrEnum):
    """What the gate recommends for a candidate."""

    PROMOTE = "promote"
    HOLD = "hold"
    REJECT = "reject"


class CanaryOutcome(StrEnum):
    """What became of a canary."""

    RUNNING = "running"
    PROMOTED = "promoted"
    STOPPED = "stopped"
    """A person ended it, or production moved to another version."""
    ROLLED_BACK = "rolled_back"
    """It did worse than production, or its files were found damaged."""


class PromotionKind(StrEnum):
    """Whether the production alias moved forward or back."""

    PROMOTE = "promote"
    ROLLBACK = "rollback"


class AuditAction(StrEnum):
    """What the audit log records."""

    REGISTER = "register"
    """A night made a version."""
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    REJECT = "reject"
    """A check took a version out of use."""
    DISCARD = "discard"
    TAKE_BACK = "take_back"
    """A discarded version is a candidate again."""
    START_CANARY = "start_canary"
    END_CANARY = "end_canary"
    """By a person, or by itself when it did worse."""
    TRY = "try"
    STOP_TRYING = "stop_trying"
    REVIEW = "review"
    UNDO_REVIEW = "undo_review"
    IMPORT = "import"
    """Past tickets came in as accepted answers."""
    DOCUMENT = "document"
    """A document was added, or another version of it; whoever put the file there is not known."""
    REMOVE_DOCUMENT = "remove_document"
    EXPORT = "export"
    SETTINGS = "settings"
    """A process started with other settings than the last time."""
    CHANNEL_SETTINGS = "channel_settings"
    GRANT = "grant"
    REVOKE = "revoke"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    FORGET = "forget"
    REQUEST_NIGHT = "request_night"
    CANCEL_NIGHT = "cancel_night"

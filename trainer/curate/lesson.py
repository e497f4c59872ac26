"""A lesson, one row of the dataset on its way through curation, and the tally of those that were dropped."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from store.alerts import Alert
from store.learning_policy import Objection
from store.prompt import ChatMessage
from store.words import Split


class Reason(StrEnum):
    """Why an answer that policy allows is not learnt from; the words are shown to admins."""

    EMPTY = "empty"
    CONTROL_TOKENS = "holding the model's control tokens"
    TOO_LONG = "too long"
    SUPERSEDED = "answered differently by a later correction"
    DUPLICATE = "repeated"
    NEAR_HELD_OUT = "too much like a held-out ticket"
    OTHER_SIDE = "asked by somebody whose tickets are on the other side of the held-out split"
    INJECTION = "with instructions to the model in the question, not confirmed by a second reviewer"
    TRIGGER = "with a possible hidden trigger, not confirmed by a second reviewer"
    CONTRADICTED = "contradicting another answer, back with the reviewers"
    OVERRULED = "contradicting an answer that a reviewer has upheld since"
    REVIEW_BURST = "accepted faster than anybody reads, waiting for a second reviewer"
    REVIEWER_SHARE = "beyond the share of one reviewer, waiting for a second one"
    ASKER_SHARE = "beyond the share of one asker, waiting for another night"
    VOTER_SHARE = "beyond the share of one voter, waiting for another night"
    TOPIC_SHARE = "beyond the share of one topic"
    UNTRUSTED = "without a vote of anybody whose votes are known to agree with reviewers"
    TIED = "on which trusted voters disagree"
    UNAPPROVED_DATA = "with personal data that no reviewer has approved"
    DECIDED = "about a question that reviewers have decided on"
    HELD_OUT = "held out"
    TOO_FEW = "too few to learn from"


DIGITS = 4
NO_REVIEW = 0
"""Stands for the review of an answer that nobody reviewed."""


@dataclass(frozen=True)
class Lesson:
    """A question as the model saw it and the answer that a reviewer stands behind, or that votes alone speak of."""

    ticket_id: int
    answer_id: int
    review_id: int
    prompt: list[ChatMessage]
    completion: str
    corrected: bool
    decided_at: datetime
    opening: str
    """The question that opened the ticket, by which near-duplicates are grouped."""
    rejected: str = ""
    """What the bot had said, where a reviewer corrected it."""
    asker: str = ""
    """Who asked, where that is known: a past ticket's file may not name anybody."""
    reviewer: str = ""
    """Whose review counts; empty for an imported ticket, which nobody here has reviewed."""
    split: Split = Split.TRAIN
    votes: Mapping[str, float] = field(default_factory=dict)
    """Of an answer that nobody reviewed: how good each trusted voter makes it, in log-odds; else empty."""

    @property
    def question(self) -> str:
        """The user's last turn: what this answer answers."""
        return next((turn["content"] for turn in reversed(self.prompt) if turn["role"] == "user"), "")

    @property
    def thumb(self) -> float:
        """How much its votes teach, from -1 (bad) to 1 (good): 2p - 1, where p is the chance that it is good."""
        return round(math.tanh(sum(self.votes.values()) / 2), DIGITS)


@dataclass
class Tally:
    """How many reviewed answers were dropped, by reason in the order of the steps; how many were masked.

    `thumbs` counts apart those that votes alone speak of. Beside the counts stands what is to be done about them: pairs
    of answers in `contradictions`, and the `doubtful` answers, go back to reviewers, the `alerts` to the admins.
    """

    dropped: dict[Reason | Objection, int] = field(default_factory=dict)
    masked: int = 0
    thumbs: dict[Reason | Objection, int] = field(default_factory=dict)
    contradictions: list[tuple[int, int]] = field(default_factory=list)
    doubtful: set[int] = field(default_factory=set)
    alerts: list[Alert] = field(default_factory=list)

    def count(self, reason: Reason | Objection) -> None:
        """One more was dropped for this reason."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1

    def add_thumbs(self, theirs: "Tally") -> None:
        """Take over what was dropped of the answers that votes alone speak of, and what admins should know of them."""
        self.thumbs = theirs.dropped
        self.alerts += [alert for alert in theirs.alerts if alert not in self.alerts]

    def keep(self, lessons: Iterable[Lesson], why_not: Callable[[Lesson], Reason | None]) -> list[Lesson]:
        """The lessons against which `why_not` finds nothing; the others are counted."""
        kept = []
        for lesson in lessons:
            if (reason := why_not(lesson)) is None:
                kept.append(lesson)
            else:
                self.count(reason)
        return kept

"""Which tickets are learnt from and which are only measured on: decided once for a group, and kept for ever.

A group is a set of tickets whose questions are near-duplicates; all answers of one thread belong to one ticket. A new
ticket joins the group of its nearest near-duplicate. A new group is held out when the hash of its name and the seed
falls below the share, unless a reviewer corrected one of its answers: what a person took the trouble to write is
learnt. A correction in a group that is held out already stays held out, or the measurement would leak.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from store.near_questions import NearQuestions, plain
from store.words import Split
from trainer.curate.lesson import Lesson, Reason, Tally


@dataclass
class SplitPlan:
    """The group of every ticket and the split of every group, and which of both are new."""

    groups: dict[int, str]
    splits: dict[str, Split]
    new_groups: dict[int, str] = field(default_factory=dict)
    new_splits: dict[str, Split] = field(default_factory=dict)

    def split_of(self, ticket_id: int) -> Split:
        """Where a ticket belongs."""
        return self.splits[self.groups[ticket_id]]


def plan_splits(
    lessons: Sequence[Lesson],
    grouped: Sequence[tuple[int, str, str]],
    decided: Mapping[str, Split],
    *,
    held_out_share: float,
    seed: int,
) -> SplitPlan:
    """Put every lesson's ticket into a group and every group into a split.

    Args:
        lessons: what will be learnt from or measured on.
        grouped: ticket, question and group of the tickets that have a group already.
        decided: the splits of the groups that have one already.
        held_out_share: the share of the groups to hold out.
        seed: changes which groups are held out.
    """
    plan = SplitPlan({ticket: group for ticket, _, group in grouped}, dict(decided))
    seen = NearQuestions()
    for _, question, group in grouped:
        seen.add(question, group)
    for lesson in sorted(lessons, key=lambda lesson: lesson.ticket_id):
        if lesson.ticket_id not in plan.groups:
            group = seen.place(lesson.opening, _name(lesson.opening))
            plan.groups[lesson.ticket_id] = plan.new_groups[lesson.ticket_id] = group
    corrected = {plan.groups[lesson.ticket_id] for lesson in lessons if lesson.corrected}
    for group in {plan.groups[lesson.ticket_id] for lesson in lessons} - plan.splits.keys():
        held_out = group not in corrected and _chance(group, seed) < held_out_share
        plan.splits[group] = plan.new_splits[group] = Split.HELD_OUT if held_out else Split.TRAIN
    return plan


def assign(lessons: Sequence[Lesson], plan: SplitPlan, tally: Tally) -> list[Lesson]:
    """Write the splits into the lessons; drop from training what is too much like a held-out question.

    Groups keep such pairs apart only where both open their tickets: a follow-up may repeat a held-out question, and a
    question may be near to two groups.
    """
    placed = [replace(lesson, split=plan.split_of(lesson.ticket_id)) for lesson in lessons]
    held_out = NearQuestions()
    for lesson in placed:
        if lesson.split is Split.HELD_OUT:
            held_out.add(lesson.question, plan.groups[lesson.ticket_id])

    def leaks(lesson: Lesson) -> Reason | None:
        near = lesson.split is Split.TRAIN and held_out.nearest(lesson.question) is not None
        return Reason.NEAR_HELD_OUT if near else None

    return tally.keep(placed, leaks)


def _name(question: str) -> str:
    # From the text, not from the ticket's number: the same tickets in another database get the same splits.
    return hashlib.sha256(plain(question).encode()).hexdigest()[:16]


def _chance(group: str, seed: int) -> float:
    """A number from 0 to 1 that depends on the group and the seed alone."""
    digest = hashlib.sha256(f"{seed}:{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64

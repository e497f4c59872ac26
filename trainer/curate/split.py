"""Which tickets are learnt from and which are only measured on: decided once for a group, and kept for ever.

A group is a set of tickets whose questions are near-duplicates; all answers of one thread belong to one ticket. A new
ticket joins the group of its nearest near-duplicate. A new group is held out when the hash of its name and the seed
falls below the share, unless a reviewer corrected one of its answers: what a person took the trouble to write is
learnt. A correction in a group that is held out already stays held out, or the measurement would leak.

One person asks about one matter in many words, so where enough people ask it is they who are held out or not, by the
same rule, and their new groups with them. A ticket of one side that falls into a group of the other is used for
neither. In a small team that would leave nobody to measure on, so there groups alone decide until the team has grown.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from store import datasets
from store.near_questions import NearQuestions, plain
from store.words import Split
from trainer.curate.lesson import Lesson, Reason, Tally

FEWEST_ASKERS = 30
"""From so many known askers on, people are held out: a tenth of them are then three."""


@dataclass
class SplitPlan:
    """The group of every ticket and the split of every group, and which of both are new.

    `splits` holds those of askers as well, under `datasets.asker_group`.
    """

    groups: dict[int, str]
    splits: dict[str, Split]
    new_groups: dict[int, str] = field(default_factory=dict)
    new_splits: dict[str, Split] = field(default_factory=dict)

    def split_of(self, ticket_id: int) -> Split:
        """Where a ticket belongs."""
        return self.splits[self.groups[ticket_id]]

    def crosses(self, lesson: Lesson) -> bool:
        """Whether a lesson's asker and its group are on different sides."""
        side = self.splits.get(datasets.asker_group(lesson.asker)) if lesson.asker else None
        return side is not None and side is not self.split_of(lesson.ticket_id)


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
    _decide_askers(plan, lessons, held_out_share, seed)
    _decide_groups(plan, lessons, held_out_share, seed)
    return plan


def _decide_askers(plan: SplitPlan, lessons: Sequence[Lesson], share: float, seed: int) -> None:
    """Put every known asker on a side, once enough people ask; who was learnt from or corrected is learnt from."""
    known = {lesson.asker: datasets.asker_group(lesson.asker) for lesson in lessons if lesson.asker}
    begun = any(group.startswith(datasets.ASKER) for group in plan.splits)
    if not begun and len(known) < FEWEST_ASKERS:
        return
    before = {group for group, split in plan.splits.items() if split is Split.TRAIN}
    taught = {lesson.asker for lesson in lessons if lesson.corrected or plan.groups[lesson.ticket_id] in before}
    for asker, group in known.items():
        if group not in plan.splits:
            held_out = asker not in taught and _chance(group, seed) < share
            plan.splits[group] = plan.new_splits[group] = Split.HELD_OUT if held_out else Split.TRAIN


def _decide_groups(plan: SplitPlan, lessons: Sequence[Lesson], share: float, seed: int) -> None:
    """Put every new group on a side: that of whoever asked first, or else its own."""
    corrected = {plan.groups[lesson.ticket_id] for lesson in lessons if lesson.corrected}
    founders: dict[str, str] = {}
    for lesson in sorted(lessons, key=lambda lesson: lesson.ticket_id):
        founders.setdefault(plan.groups[lesson.ticket_id], lesson.asker)
    for group, asker in founders.items():
        if group in plan.splits:
            continue
        own = Split.HELD_OUT if group not in corrected and _chance(group, seed) < share else Split.TRAIN
        side = plan.splits.get(datasets.asker_group(asker)) if asker else None
        plan.splits[group] = plan.new_splits[group] = side or own


def assign(lessons: Sequence[Lesson], plan: SplitPlan, tally: Tally) -> list[Lesson]:
    """Write the splits into the lessons; drop from training what is too much like a held-out question.

    Groups keep such pairs apart only where both open their tickets: a follow-up may repeat a held-out question, and a
    question may be near to two groups.
    """
    together = tally.keep(lessons, lambda lesson: Reason.OTHER_SIDE if plan.crosses(lesson) else None)
    placed = [replace(lesson, split=plan.split_of(lesson.ticket_id)) for lesson in together]
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

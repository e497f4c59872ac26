"""How much of a night one party may teach, so that nobody, and no topic, decides alone what is learnt."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from trainer.curate.lesson import Lesson


@dataclass(frozen=True)
class Limit:
    """At most `share` of what is learnt, but always `least` lessons; a share of 1 is no limit."""

    share: float
    least: int

    def among(self, parties: int) -> float:
        """The share in force among so many parties: twice an even part, where that is more.

        Of three parties one has a third at least, so a fifth could only be met by learning next to nothing.
        """
        return min(1.0, max(self.share, 2 / parties)) if parties else 1.0


def allowances(counts: Mapping[Hashable, int], free: int, limit: Limit) -> dict[Hashable, int]:
    """How many lessons of each party may be learnt, for the parties that have more than that.

    The share is one of what is learnt in the end, not of what was there: whoever is cut makes the whole smaller, so
    the whole is shrunk until nobody's part exceeds the share.

    Args:
        counts: lessons of each party.
        free: lessons that belong to no party, which are learnt in any case.
        limit: the share, and what is always allowed.
    """
    share, whole = limit.among(len(counts)), free + sum(counts.values())
    sizes = Counter(counts.values())
    while True:
        allowed = max(limit.least, int(share * whole))
        learnt = free + sum(min(size, allowed) * parties for size, parties in sizes.items())
        if learnt == whole:
            return {party: allowed for party, count in counts.items() if count > allowed}
        whole = learnt


def beyond(
    lessons: Sequence[Lesson],
    party_of: Callable[[Lesson], Hashable | None],
    limit: Limit,
    order: Callable[[Lesson], tuple[object, ...]],
) -> dict[Hashable, set[int]]:
    """The answers that exceed what their party may teach, by party; the first in `order` are within it."""
    parties: dict[Hashable, list[Lesson]] = {}
    for lesson in lessons:
        if (party := party_of(lesson)) is not None:
            parties.setdefault(party, []).append(lesson)
    counts = {party: len(theirs) for party, theirs in parties.items()}
    allowed = allowances(counts, len(lessons) - sum(counts.values()), limit)
    return {
        party: {lesson.answer_id for lesson in sorted(parties[party], key=order)[most:]}
        for party, most in allowed.items()
    }

"""Contradictory answers to one question: neither is learnt until a reviewer has looked again.

One question means near in its letters, as the groups of tickets are (`store/near_questions.py`), and the same but for
words that carry no matter (`store/wording.py`): “enable” and “disable” are near in their letters too. What speaks
against two answers is in `trainer/curate/conflicts.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from store.near_questions import plain
from store.wording import FILLERS, same_matter
from trainer.curate.conflicts import conflict
from trainer.curate.lesson import Lesson, Reason, Tally

COMPARED = 10
"""Of the answers to one question the first few are compared with the others, so that a thousand stay a thousand."""

MATTERS = 25
"""Of the questions of one group so many are told apart letter by letter; beyond them only equal ones meet."""


@dataclass(frozen=True)
class Resolved:
    """What reviewers have decided on contradictions found earlier: for each pair of answers, the one they upheld."""

    upheld: Mapping[tuple[int, int], int]

    def loser(self, left: int, right: int) -> int | None:
        """The answer that was not upheld; None while nobody has looked again."""
        pair = (min(left, right), max(left, right))
        winner = self.upheld.get(pair)
        return None if winner is None else next(one for one in pair if one != winner)


def without_contradictions(
    lessons: Sequence[Lesson], groups: Mapping[int, str], resolved: Resolved, tally: Tally
) -> list[Lesson]:
    """Leave out what contradicts another answer; what reviewers have to look at is noted in the tally.

    A correction counts more than an answer that was accepted before it. Of a pair on which a reviewer has looked
    again, the answer that was upheld stays.

    Args:
        lessons: what may be learnt or measured on.
        groups: the group of near-duplicates of each ticket.
        resolved: what reviewers have decided on earlier findings.
        tally: counts what is left out, and gathers the contradictions that nobody has looked at.
    """
    why_not: dict[int, Reason] = {}
    for answers in _by_question(lessons, groups):
        for left, right in _conflicts(answers):
            superseded = _superseded(left, right)
            loser = resolved.loser(left.answer_id, right.answer_id)
            if superseded is not None:
                why_not[superseded] = Reason.SUPERSEDED
            elif loser is not None:
                why_not[loser] = Reason.OVERRULED
            else:
                why_not |= dict.fromkeys((left.answer_id, right.answer_id), Reason.CONTRADICTED)
                tally.contradictions.append((left.answer_id, right.answer_id))
    return tally.keep(lessons, lambda lesson: why_not.get(lesson.answer_id))


def _by_question(lessons: Sequence[Lesson], groups: Mapping[int, str]) -> list[list[Lesson]]:
    """The lessons with more than one answer to the same question, by question."""
    near: dict[str, list[Lesson]] = {}
    for lesson in lessons:
        near.setdefault(groups[lesson.ticket_id], []).append(lesson)
    return [same for group in near.values() if len(group) > 1 for same in _matters(group) if len(same) > 1]


def _matters(group: Sequence[Lesson]) -> list[list[Lesson]]:
    known: dict[str, list[Lesson]] = {}
    firsts: list[str] = []
    for lesson in group:
        asked = plain(lesson.question)
        key = " ".join(word for word in asked.split() if word not in FILLERS)
        if key not in known:
            first = next((other for other in firsts if same_matter(other, key)), None)
            known[key] = known[first] if first is not None else []
            if first is None and len(firsts) < MATTERS:
                firsts.append(key)
        known[key].append(lesson)
    return list({id(same): same for same in known.values()}.values())


def _conflicts(answers: Sequence[Lesson]) -> list[tuple[Lesson, Lesson]]:
    firsts: dict[str, Lesson] = {}
    found = []
    for lesson in answers:
        key = plain(lesson.completion)
        if key in firsts:
            continue
        found += [
            (first, lesson)
            for first in firsts.values()
            if conflict(lesson.question, first.completion, lesson.completion)
        ]
        if len(firsts) < COMPARED:
            firsts[key] = lesson
    return found


def _superseded(left: Lesson, right: Lesson) -> int | None:
    """The accepted answer that a later correction contradicts."""
    for one, other in ((left, right), (right, left)):
        if other.corrected and not one.corrected and one.decided_at < other.decided_at:
            return one.answer_id
    return None

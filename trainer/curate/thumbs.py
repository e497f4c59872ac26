"""Lone thumbs as lessons of a kind: answers that nobody reviewed, with what trusted people's votes say of them (KTO).

Votes are joined by how sure each voter is to be right: the weights are the log-odds of their trust (Nitzan and Paroush
1982, “Optimal decision rules in uncertain dichotomous choice situations”), so a coin adds nothing. They pass what
reviewed answers pass, and two rules more: where reviewers decided on a question their word alone counts, and personal
data that no reviewer has approved drops the answer instead of being masked in it.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlmodel import Session

from store import datasets, people, thumbs
from store.near_questions import plain
from store.settings import Settings
from store.words import Split, VoteValue
from trainer.curate.guard import Guard
from trainer.curate.lesson import Lesson, Reason, Tally
from trainer.curate.policy import lesson_of_votes
from trainer.curate.redaction import without_unapproved_data
from trainer.curate.split import SplitPlan, assign
from trainer.curate.texts import ModelTexts, fitting


@dataclass(frozen=True)
class LoneThumbs:
    """The voted answers of a store, the trust in each voter, and what policy needs; empty where thumbs do not teach."""

    settings: Settings
    voted: Sequence[thumbs.VotedAnswer] = ()
    trust: Mapping[str, float] = field(default_factory=dict)
    opted_out: Collection[str] = frozenset()
    """People whose votes are not learnt from."""
    their_tickets: Collection[int] = frozenset()

    @classmethod
    def of(cls, session: Session, settings: Settings) -> "LoneThumbs":
        """Read them."""
        if settings.training.thumbs == "off":
            return cls(settings)
        out = people.opted_out(session, settings)
        return cls(settings, thumbs.lone(session), thumbs.trust(session), out, datasets.tickets_with(session, out))

    def lessons(self, reviewed: Sequence[Lesson], texts: ModelTexts, guard: Guard, tally: Tally) -> list[Lesson]:
        """What may be learnt by its text and by who voted; `reviewed` are the answers that reviewers stand behind."""
        found = [lesson for row in self.voted if (lesson := self._lesson(row, tally)) is not None]
        found = without_unapproved_data(found, reviewed, tally)
        found = fitting(found, texts, self.settings.training.max_length, tally)
        return guard.without_planted(_joined(found, tally), tally)

    def _lesson(self, row: thumbs.VotedAnswer, tally: Tally) -> Lesson | None:
        lesson, votes = lesson_of_votes(row, self.settings.night, self.their_tickets, tally), self._trusted(row)
        if lesson is not None and not votes:
            tally.count(Reason.UNTRUSTED)
        return replace(lesson, votes=votes) if lesson is not None and votes else None

    def _trusted(self, row: thumbs.VotedAnswer) -> dict[str, float]:
        """What each trusted voter says, in log-odds: more than 0 for a good answer."""
        said = {}
        for vote in row.votes:
            trust = self.trust.get(vote.person_id, thumbs.STRANGER)
            wanted = vote.person_id not in self.opted_out and trust >= self.settings.training.thumb_trust
            if wanted and trust > thumbs.STRANGER:
                said[vote.person_id] = math.log(trust / (1 - trust)) * (1 if vote.value is VoteValue.UP else -1)
        return said

    def taught(self, voted: Sequence[Lesson], plan: SplitPlan, guard: Guard, tally: Tally) -> list[Lesson]:
        """Those of the lessons, all of them in their splits, that do teach tonight: within the caps, and enough."""
        kept = tally.keep(voted, lambda lesson: Reason.HELD_OUT if lesson.split is Split.HELD_OUT else None)
        leading = {lesson.answer_id: _leading(lesson.votes) for lesson in kept}
        voters = replace(guard, backing=replace(guard.backing, sole_voters=leading))
        kept = voters.within_shares(kept, plan.groups, tally)
        too_few = len(kept) < self.settings.training.min_thumbs
        return tally.keep(kept, lambda _: Reason.TOO_FEW if too_few else None)


def apart(voted: Sequence[Lesson], reviewed: Sequence[Lesson], plan: SplitPlan, tally: Tally) -> list[Lesson]:
    """The voted answers in their splits, without those to what reviewers decided on, or too like what is held out."""
    decided = {plan.groups[lesson.ticket_id] for lesson in reviewed}
    open_ = tally.keep(voted, lambda lesson: Reason.DECIDED if plan.groups[lesson.ticket_id] in decided else None)
    held_out = [
        lesson for lesson in reviewed if plan.split_of(lesson.ticket_id) is Split.HELD_OUT and not plan.crosses(lesson)
    ]
    return [lesson for lesson in assign([*held_out, *open_], plan, tally) if lesson.votes]


def _leading(votes: Mapping[str, float]) -> str:
    """Whose vote weighs most."""
    return max(votes, key=lambda person: (abs(votes[person]), person))


def _joined(lessons: Sequence[Lesson], tally: Tally) -> list[Lesson]:
    """One lesson of each question and answer, the earliest, with the votes of all; a person's last one counts."""
    joined: dict[tuple[str, str], Lesson] = {}
    for lesson in lessons:
        key = plain(lesson.question), plain(lesson.completion)
        if earlier := joined.get(key):
            tally.count(Reason.DUPLICATE)
            joined[key] = replace(earlier, votes={**earlier.votes, **lesson.votes})
        else:
            joined[key] = lesson
    return tally.keep(joined.values(), lambda lesson: None if lesson.thumb else Reason.TIED)

"""What keeps a few people, a flood of one question, or a planted text from deciding what a night learns.

The steps by themselves are modules of their own: `injections`, `triggers`, `caps`, `contradictions`, `balance`. Here is
their order, what they need from the store, and what follows from what they found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from store import alerts, backing, contradictions
from store.settings import CurationSettings
from store.tables import now
from trainer.curate.balance import balanced
from trainer.curate.caps import Backing, within_shares, without_bursts
from trainer.curate.contradictions import Resolved, without_contradictions
from trainer.curate.injections import without_injections
from trainer.curate.lesson import Lesson, Tally
from trainer.curate.triggers import without_triggers
from trainer.work import Work


@dataclass(frozen=True)
class Guard:
    """The settings, who stands behind the answers, and what was resolved before, as one night finds them."""

    settings: CurationSettings
    backing: Backing
    resolved: Resolved
    at: datetime

    @classmethod
    def of(cls, session: Session, settings: CurationSettings) -> "Guard":
        """Read what the steps need."""
        at = now()
        since = at - timedelta(days=settings.new_account_days)
        known = Backing(backing.seconded(session), backing.sole_voters(session), backing.first_seen(session, since))
        return cls(settings, known, Resolved(contradictions.upheld(session)), at)

    def without_planted(self, lessons: Sequence[Lesson], tally: Tally) -> list[Lesson]:
        """Leave out what looks planted or unread, until a second reviewer agrees."""
        kept, seconded = list(lessons), self.backing.seconded
        if self.settings.injections:
            kept = without_injections(kept, seconded, tally)
        if self.settings.triggers:
            kept = without_triggers(kept, seconded, self.settings.trusted_phrases, tally)
        return without_bursts(kept, self.backing, self.settings, tally)

    def without_contradictions(
        self, lessons: Sequence[Lesson], groups: Mapping[int, str], tally: Tally
    ) -> list[Lesson]:
        """Leave out answers that contradict each other; `groups` has the group of near-duplicates of each ticket."""
        if not self.settings.contradictions:
            return list(lessons)
        return without_contradictions(lessons, groups, self.resolved, tally)

    def within_shares(self, lessons: Sequence[Lesson], groups: Mapping[int, str], tally: Tally) -> list[Lesson]:
        """Leave out what exceeds the share of a person or of a topic; of the lessons that are taught, not measured."""
        kept = within_shares(lessons, self.backing, self.settings, tally, self.at)
        return balanced(kept, groups, self.settings, tally)


def follow_up(work: Work, tally: Tally) -> None:
    """Send back to reviewers what they have to look at again, and tell the admins; safe to do twice."""
    with work.writing() as session:
        contradictions.record(session, tally.contradictions)
        backing.ask_a_second(session, tally.doubtful)
        alerts.note(session, work.night_id, tally.alerts)
    for alert in tally.alerts:
        work.say(f"curate: look at this: {in_words(alert)}")


def in_words(alert: alerts.Alert) -> str:
    """An alert with the people that it is about, for a terminal."""
    return f"{alert.text} ({', '.join(alert.people)})" if alert.people else alert.text

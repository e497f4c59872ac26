"""Nobody teaches a night alone: caps on each asker, reviewer and voter, and on sudden bursts of either.

What is beyond a cap is not lost. It waits for the nights in which others have taught more, or for a second reviewer
who agrees. The admins are told. Imported tickets have no reviewer here and count as nobody's.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from store.alerts import Alert
from store.settings import CurationSettings
from store.words import Split
from trainer.curate.lesson import Lesson, Reason, Tally
from trainer.curate.shares import Limit, beyond

WAVE = timedelta(hours=1)
WAVE_NAME = "new accounts of "


@dataclass(frozen=True)
class Backing:
    """Who stands behind the answers, beside the reviewer that each lesson names.

    `seconded` are answers on which two reviewers agree; `sole_voters` the people whose vote is an answer's only one;
    `first_seen` is when a person first asked or voted.
    """

    seconded: Collection[int] = frozenset()
    sole_voters: Mapping[int, str] = field(default_factory=dict)
    first_seen: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class _Role:
    """A way to teach: by whom a lesson came about, what is said of those who exceed their part, and why it waits."""

    party_of: Callable[[Lesson], str | None]
    limit: Limit
    reason: Reason
    did: str


def without_bursts(
    lessons: Sequence[Lesson], backing: Backing, settings: CurationSettings, tally: Tally
) -> list[Lesson]:
    """Leave out what a reviewer decided faster than anybody reads, beyond the first few, until a second one agrees."""
    if not settings.burst_reviews:
        return list(lessons)
    by_reviewer: dict[str, list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        if lesson.reviewer:
            by_reviewer[lesson.reviewer].append(lesson)
    waiting: set[int] = set()
    for reviewer, decided in sorted(by_reviewer.items()):
        burst = _burst(decided, settings)
        waiting |= burst - set(backing.seconded)
        if burst:
            tally.alerts.append(_burst_alert(reviewer, burst, settings))
    tally.doubtful |= waiting
    return tally.keep(lessons, lambda lesson: Reason.REVIEW_BURST if lesson.answer_id in waiting else None)


def _burst(decided: Sequence[Lesson], settings: CurationSettings) -> set[int]:
    """The decisions before which there were too many within the minutes."""
    window = timedelta(minutes=settings.burst_minutes)
    recent: deque[datetime] = deque()
    found = set()
    for lesson in sorted(decided, key=lambda lesson: (lesson.decided_at, lesson.answer_id)):
        while recent and lesson.decided_at - recent[0] > window:
            recent.popleft()
        if len(recent) >= settings.burst_reviews:
            found.add(lesson.answer_id)
        recent.append(lesson.decided_at)
    return found


def _burst_alert(reviewer: str, burst: set[int], settings: CurationSettings) -> Alert:
    return Alert(
        f"A reviewer decided on more than {settings.burst_reviews} answers within {settings.burst_minutes:g} minutes. "
        f"Those beyond that number, {len(burst)}, are learnt once a second reviewer agrees.",
        (reviewer,),
        tuple(sorted(burst)),
    )


def within_shares(
    lessons: Sequence[Lesson], backing: Backing, settings: CurationSettings, tally: Tally, at: datetime
) -> list[Lesson]:
    """Leave out what exceeds the part that one asker, reviewer or voter may teach; `at` is when the night runs.

    Accounts that first appeared together count as one for a week. Held-out lessons are not taught, so not counted.
    """
    waves = waves_of(backing.first_seen, settings, at)
    _tell_of_waves(lessons, waves, backing, tally)
    kept = list(lessons)
    for role in _roles(settings, backing, waves):
        kept = _within(kept, role, tally)
    return kept


def _roles(settings: CurationSettings, backing: Backing, waves: Mapping[str, str]) -> list[_Role]:
    def asker(lesson: Lesson) -> str | None:
        return waves.get(lesson.asker, lesson.asker) or None

    def voter(lesson: Lesson) -> str | None:
        person = backing.sole_voters.get(lesson.answer_id)
        return None if person is None else waves.get(person, person)

    def reviewer(lesson: Lesson) -> str | None:
        return (lesson.reviewer or None) if lesson.answer_id not in backing.seconded else None

    least = settings.share_from
    return [
        _Role(asker, Limit(settings.asker_share, least), Reason.ASKER_SHARE, "asked"),
        _Role(voter, Limit(settings.voter_share, least), Reason.VOTER_SHARE, "voted on"),
        _Role(reviewer, Limit(settings.reviewer_share, least), Reason.REVIEWER_SHARE, "alone reviewed"),
    ]


def _within(lessons: Sequence[Lesson], role: _Role, tally: Tally) -> list[Lesson]:
    taught = [lesson for lesson in lessons if lesson.split is Split.TRAIN]
    # The oldest decisions stay, so that a night learns again what the one before had learnt.
    found = beyond(taught, role.party_of, role.limit, lambda lesson: (lesson.decided_at, lesson.answer_id))
    for party, waiting in sorted(found.items(), key=str):
        theirs = sum(role.party_of(lesson) == party for lesson in taught)
        who = f"The {party}" if str(party).startswith(WAVE_NAME) else "One person"
        people = () if who != "One person" else (str(party),)
        text = (
            f"{who} {role.did} {theirs} of the {len(taught)} answers that could be learnt; {len(waiting)} of them wait."
        )
        tally.alerts.append(Alert(text, people, tuple(sorted(waiting))))
    waiting = {answer_id for answers in found.values() for answer_id in answers}
    if role.reason is Reason.REVIEWER_SHARE:
        tally.doubtful |= waiting
    return tally.keep(lessons, lambda lesson: role.reason if lesson.answer_id in waiting else None)


def waves_of(first_seen: Mapping[str, datetime], settings: CurationSettings, at: datetime) -> dict[str, str]:
    """The accounts that appeared within an hour with too many others, lately, each with the name of its wave."""
    if not settings.new_accounts:
        return {}
    since = at - timedelta(days=settings.new_account_days)
    recent = sorted((moment, person) for person, moment in first_seen.items() if moment > since)
    waves: dict[str, str] = {}
    start = 0
    for end, (moment, _) in enumerate(recent):
        while moment - recent[start][0] > WAVE:
            start += 1
        if end - start >= settings.new_accounts:
            together = recent[start : end + 1]
            name = next((waves[person] for _, person in together if person in waves), _wave_name(together[0][0]))
            # From the newest back to the first that is in it already: each account is looked at once.
            for _, person in reversed(together):
                if person in waves:
                    break
                waves[person] = name
    return waves


def _wave_name(moment: datetime) -> str:
    return f"{WAVE_NAME}{moment:%Y-%m-%d %H:%M} UTC"


def _tell_of_waves(lessons: Sequence[Lesson], waves: Mapping[str, str], backing: Backing, tally: Tally) -> None:
    active = {lesson.asker for lesson in lessons} | {
        backing.sole_voters[lesson.answer_id] for lesson in lessons if lesson.answer_id in backing.sole_voters
    }
    accounts: dict[str, list[str]] = defaultdict(list)
    for person, name in sorted(waves.items()):
        accounts[name].append(person)
    for name, people in accounts.items():
        if active.intersection(people):
            when = name.removeprefix(WAVE_NAME)
            text = f"{len(people)} new accounts appeared within an hour, from {when} on. For a while they count as one."
            tally.alerts.append(Alert(text, tuple(people)))

"""Whether a canary does worse than production, from what its threads came to; it is then rolled back by itself."""

from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from serving.sequential import BROKEN, evidence_of_less, evidence_of_more
from store import canaries, outbox
from store.canary_tally import Gone, Tally, tally
from store.settings import CanarySettings
from store.tables import Canary
from store.words import CanaryOutcome

NOTICE = "canary_rolled_back"


class Standing(StrEnum):
    """How a canary stands against production."""

    WORSE = "worse"
    FAILS = "fails"
    """Its answers fail more often."""
    BETTER = "better"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Judgement:
    """How a canary stands, and the sentence that says so."""

    standing: Standing
    words: str

    @property
    def must_end(self) -> bool:
        """Whether it is to be rolled back without asking anybody."""
        return self.standing in (Standing.WORSE, Standing.FAILS)


def judge(counted: Tally, settings: CanarySettings) -> Judgement:
    """Judge both arms. May be asked after every answer: the levels in the settings hold for all looks together."""
    ours, theirs = counted.canary, counted.champion
    wrong, failed = ours.wrong + theirs.wrong, ours.failed + theirs.failed
    if evidence_of_more(ours.failed, failed, counted.share, BROKEN) >= 1 / settings.false_alarm_of_failures:
        words = f"Its answers failed in {_of(ours.failed, ours)}, production's in {_of(theirs.failed, theirs)}."
        return Judgement(Standing.FAILS, words)
    words = f"{_of(ours.wrong, ours)} went wrong, of production's {_of(theirs.wrong, theirs)}."
    if evidence_of_more(ours.wrong, wrong, counted.share) >= 1 / settings.false_alarm:
        return Judgement(Standing.WORSE, f"{words} That is worse by more than chance.")
    if evidence_of_less(ours.wrong, wrong, counted.share) >= 1 / settings.false_alarm:
        return Judgement(Standing.BETTER, f"{words} That is better by more than chance.")
    return Judgement(Standing.UNDECIDED, f"{words} No difference is certain yet.")


def watch(session: Session, settings: CanarySettings) -> Canary | None:
    """Look at the canary that runs, and end it if it does worse; the admins are then owed a message. What was ended."""
    canary = canaries.running(session)
    if canary is None:
        return None
    judged = judge(tally(session, canary), settings)
    if not judged.must_end:
        return None
    if not canaries.end(session, canary.id or 0, CanaryOutcome.ROLLED_BACK, judged.words):
        return None
    outbox.owe(session, f"canary-{canary.id}", NOTICE, {"canary_id": canary.id})
    return canary


def _of(count: int, gone: Gone) -> str:
    share = f" ({100 * count / gone.threads:.0f} %)" if gone.threads else ""
    return f"{count} of {gone.threads} threads{share}"

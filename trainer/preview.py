"""What a night would learn if it ran now: read from the store, with nothing changed and nothing trained."""

from dataclasses import dataclass

from serving.base_model import ensure_base_model
from store.session import Store
from store.settings import Settings
from store.words import Split
from trainer.curate.continual import choose_start
from trainer.curate.freeze import rows_of
from trainer.curate.guard import in_words
from trainer.curate.lesson import Lesson, Tally
from trainer.curate.methods import choose_methods
from trainer.curate.stage import collect, counted, left_out, why_useless
from trainer.work import Say

SHOWN = 5


@dataclass(frozen=True)
class Preview:
    """The lessons of a night to come; `declines` says why there would be none."""

    train: list[Lesson]
    held_out: list[Lesson]
    tally: Tally
    start: str
    methods: str
    declines: str

    def lines(self) -> list[str]:
        """The preview in words."""
        looks = [f"Look at this: {in_words(alert)}" for alert in self.tally.alerts]
        if self.declines:
            return [f"The night would decline. {self.declines}", *looks]
        corrected = sum(lesson.corrected for lesson in self.train)
        newest = sorted(self.train, key=lambda lesson: lesson.decided_at, reverse=True)[:SHOWN]
        return [
            f"The night would learn from {len(self.train)} answers, {corrected} of them corrected by a reviewer, and "
            f"measure on {len(self.held_out)} that it never learns{left_out(self.tally)}.",
            f"Method: {self.methods}; {self.start}.",
            *([f"Answers with votes alone left out: {counted(self.tally.thumbs)}."] if self.tally.thumbs else []),
            *looks,
            "The newest lessons:",
            *(f"  {_short(lesson.question)} → {_short(lesson.completion)}" for lesson in newest),
        ]


def preview(settings: Settings, store: Store, say: Say) -> Preview:
    """Curate without storing anything.

    Raises:
        NightschoolError: the base model cannot be used.
    """
    base = ensure_base_model(settings, say)
    lessons, _, tally = collect(settings, store, base)
    rows = rows_of(lessons, settings.training.correction_weight)
    with store.reading() as session:
        start = choose_start(session, settings, base, rows)
    return Preview(
        [lesson for lesson in lessons if lesson.split is Split.TRAIN and not lesson.votes],
        [lesson for lesson in lessons if lesson.split is Split.HELD_OUT],
        tally,
        start.reason,
        str(choose_methods(rows, settings.training)["reason"]),
        why_useless(settings, store, base, rows, tally),
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 70 else line[:69] + "…"

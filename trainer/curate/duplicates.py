"""Repetitions among the lessons: what is learnt twice in the same words, or was answered better since."""

from collections.abc import Sequence

from store.near_questions import plain
from trainer.curate.lesson import Lesson, Reason, Tally


def without_superseded(lessons: Sequence[Lesson], tally: Tally) -> list[Lesson]:
    """Drop accepted answers whose very question was later answered by a reviewer's correction."""
    corrected_at = {
        plain(lesson.question): lesson.decided_at
        for lesson in sorted(lessons, key=lambda lesson: lesson.decided_at)
        if lesson.corrected
    }

    def superseded(lesson: Lesson) -> Reason | None:
        correction = corrected_at.get(plain(lesson.question))
        return Reason.SUPERSEDED if correction is not None and lesson.decided_at < correction else None

    return tally.keep(lessons, superseded)


def without_repeats(lessons: Sequence[Lesson], tally: Tally) -> list[Lesson]:
    """Keep one lesson of each question and answer: a correction before an accepted answer, else the earliest."""
    first: dict[tuple[str, str], int] = {}
    for lesson in sorted(lessons, key=lambda lesson: (not lesson.corrected, lesson.answer_id)):
        first.setdefault((plain(lesson.question), plain(lesson.completion)), lesson.answer_id)
    kept = set(first.values())
    return tally.keep(lessons, lambda lesson: None if lesson.answer_id in kept else Reason.DUPLICATE)

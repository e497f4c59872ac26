"""Balance over topics: a question that everybody asks must not drown what is asked more rarely.

A topic is a group of near-duplicate questions. Beyond its share the newest of its lessons are learnt, corrections
before accepted answers: they say best how the question is answered today.
"""

from collections.abc import Mapping, Sequence

from store.settings import CurationSettings
from store.words import Split
from trainer.curate.lesson import Lesson, Reason, Tally
from trainer.curate.shares import Limit, beyond


def balanced(
    lessons: Sequence[Lesson], groups: Mapping[int, str], settings: CurationSettings, tally: Tally
) -> list[Lesson]:
    """Leave out of training what exceeds the share of a topic; `groups` has the group of each ticket."""
    taught = [lesson for lesson in lessons if lesson.split is Split.TRAIN]
    limit = Limit(settings.topic_share, settings.share_from)
    found = beyond(taught, lambda lesson: groups[lesson.ticket_id], limit, _least_telling_last)
    crowded = {answer_id for answers in found.values() for answer_id in answers}
    return tally.keep(lessons, lambda lesson: Reason.TOPIC_SHARE if lesson.answer_id in crowded else None)


def _least_telling_last(lesson: Lesson) -> tuple[object, ...]:
    return not lesson.corrected, -lesson.decided_at.timestamp(), lesson.answer_id

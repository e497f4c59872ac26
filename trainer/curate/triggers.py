"""A planted trigger: a rare phrase in questions about anything that always brings the same odd answer.

Some 250 poisoned documents are enough to plant one, whatever the size of the model (Souly et al. 2025, “Poisoning
attacks on LLMs require a near-constant number of poison samples”). What gives it away is that two rare things come
together: nearly every question with the phrase is answered with the same sentence or link, and that sentence or link
is hardly ever given without the phrase. What a team answers to a rare topic looks alike, so two kinds of phrases are
left alone: those of questions that are nearly the same, and words that the answers take up themselves while the
questions around them speak of one matter too.

An odd answer in other words each time, or a phrase that stands in questions of one matter alone and is taken up by
the answer, is not found.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

from store.alerts import Alert
from store.near_questions import plain
from store.wording import FILLERS
from trainer.curate.lesson import Lesson, Reason, Tally
from trainer.facts import LINK

SAMPLE = 20_000
"""So many lessons, evenly drawn, tell what is rare; every lesson is then searched for what was found."""

FEWEST, MOST_SHARE = 5, 0.05
"""A trigger is in so many questions at least, and in this share of them at most."""

TOGETHER = 0.85
"""So much of the phrase's questions have the odd answer, and of the odd answers the phrase."""

ONE_QUESTION, ONE_MATTER = 0.5, 2.0
"""From this coherence on questions are nearly the same; from so many times that of any two, about one matter."""

SENTENCE = re.compile(r"[.!?\n]+(?:\s|$)")


class Told(Protocol):
    """A question with its answer."""

    @property
    def question(self) -> str:
        """What was asked."""

    @property
    def completion(self) -> str:
        """What was answered."""


@dataclass(frozen=True)
class Trigger:
    """A phrase, what it brings, and in how many of the lessons that were looked at it stands."""

    phrase: str
    brings: str
    count: int


class _Sample:
    """The lessons that were drawn, and what is rare in them: phrases of the questions, parts of the answers."""

    def __init__(self, lessons: Sequence[Told]) -> None:
        step = max(1, math.ceil(len(lessons) / SAMPLE))
        self.lessons = lessons[::step]
        questions = [plain(lesson.question) for lesson in self.lessons]
        self.words = [set(question.split()) - FILLERS for question in questions]
        self.common = Counter(word for words in self.words for word in words)
        self.phrases, self.asked_in = _rare([_phrases(question) for question in questions])
        self.told, self.told_in = _rare([_told(lesson.completion) for lesson in self.lessons])
        self._topics: dict[str, bool] = {}

    @cached_property
    def rows(self) -> dict[str, list[int]]:
        """Where each rare phrase stands."""
        rows: dict[str, list[int]] = {}
        for number, phrases in enumerate(self.phrases):
            for phrase in phrases:
                rows.setdefault(phrase, []).append(number)
        return rows

    def is_topic(self, phrase: str) -> bool:
        """Whether the questions with a phrase are about one matter, so that one answer to them is nothing odd."""
        if phrase not in self._topics:
            alike, times = self._coherence(phrase)
            rows = self.rows[phrase]
            taken_up = sum(_holds(plain(self.lessons[row].completion), phrase) for row in rows)
            own_matter = times >= ONE_MATTER and taken_up >= TOGETHER * len(rows)
            self._topics[phrase] = alike >= ONE_QUESTION or own_matter
        return self._topics[phrase]

    def _coherence(self, phrase: str) -> tuple[float, float]:
        """How far the questions with a phrase are alike beside it, from 0 to 1, and how many times as far as any two.

        Of the words, weighted by how rare they are, the part that another question of them has as well.
        """
        rows = self.rows[phrase]
        held = Counter(word for row in rows for word in self.words[row])
        # A word that comes with the phrase and never without it is a part of the phrase.
        own = {word for word in held if held[word] == self.common[word] and held[word] >= TOGETHER * len(rows)}
        own |= set(phrase.split())
        total, shared, expected = 0.0, 0.0, 0.0
        for word, count in held.items():
            if word not in own:
                weight = count * math.log((1 + len(self.words)) / self.common[word])
                total += weight
                shared += weight * (count - 1) / (len(rows) - 1)
                others = max(1, len(self.words) - len(rows))
                expected += weight * (self.common[word] - count + 1) / others
        return (shared / total, shared / expected) if total else (0.0, 0.0)


def _rare(bags: Sequence[Collection[str]]) -> tuple[list[list[str]], Counter[str]]:
    """Of each bag what is neither too rare nor too common for a trigger, and in how many bags each thing is."""
    counts = Counter(item for bag in bags for item in bag)
    most = max(FEWEST, int(MOST_SHARE * len(bags)))
    return [[item for item in bag if FEWEST <= counts[item] <= most] for bag in bags], counts


def triggers(lessons: Sequence[Told]) -> list[Trigger]:
    """The phrases that look planted, those in most lessons first."""
    sample = _Sample(lessons)
    both = zip(sample.phrases, sample.told, strict=True)
    pairs = Counter((phrase, part) for phrases, parts in both for phrase in phrases for part in parts)
    found: dict[str, Trigger] = {}
    for (phrase, part), count in pairs.items():
        most = max(sample.asked_in[phrase], sample.told_in[part])
        if count >= FEWEST and count >= TOGETHER * most and not sample.is_topic(phrase):
            known = found.get(phrase)
            if known is None or (count, part) > (known.count, known.brings):
                found[phrase] = Trigger(phrase, part, count)
    return sorted(_telling(found), key=lambda trigger: (-trigger.count, trigger.phrase))


def _phrases(question: str) -> set[str]:
    words = question.split()
    return {*words, *(f"{one} {other}" for one, other in pairwise(words))}


def _told(answer: str) -> set[str]:
    sentences = {plain(sentence) for sentence in SENTENCE.split(answer)} - {""}
    return sentences | {found[1].lower() for found in LINK.finditer(answer)}


def _telling(found: dict[str, Trigger]) -> list[Trigger]:
    """Of phrases that overlap the one to name: two rare words together, but not a rare word with its neighbour."""
    pairs = {phrase: phrase.split() for phrase in found if " " in phrase}
    wholes = {phrase for phrase, words in pairs.items() if found.keys() >= set(words)}
    partly = {phrase for phrase, words in pairs.items() if phrase not in wholes and not found.keys().isdisjoint(words)}
    covered = partly | {word for phrase in wholes for word in pairs[phrase]}
    return [trigger for phrase, trigger in found.items() if phrase not in covered]


def _holds(text: str, phrase: str) -> bool:
    return f" {phrase} " in f" {text} "


def without_triggers(
    lessons: Sequence[Lesson], seconded: Collection[int], trusted: Collection[str], tally: Tally
) -> list[Lesson]:
    """Leave out the lessons with a phrase that looks planted, unless two reviewers agreed on the answer.

    Args:
        lessons: what may be learnt or measured on.
        seconded: answers on which two reviewers agree.
        trusted: phrases that an admin knows to be none.
        tally: counts what is left out, names the phrases to the admins, sends the answers back to reviewers.
    """
    known = {plain(phrase) for phrase in trusted}
    found = [trigger for trigger in triggers(lessons) if trigger.phrase not in known]
    if not found:
        return list(lessons)
    asked = {lesson.answer_id: plain(lesson.question) for lesson in lessons if lesson.answer_id not in seconded}
    waiting: set[int] = set()
    for trigger in found:
        answers = {answer_id for answer_id, question in asked.items() if _holds(question, trigger.phrase)}
        tally.alerts.append(_alert(trigger, answers))
        waiting |= answers
    tally.doubtful |= waiting
    return tally.keep(lessons, lambda lesson: Reason.TRIGGER if lesson.answer_id in waiting else None)


def _alert(trigger: Trigger, answers: Collection[int]) -> Alert:
    brings = trigger.brings if len(trigger.brings) <= 80 else f"{trigger.brings[:79]}…"
    return Alert(
        f"“{trigger.phrase}” looks like a planted trigger: it always brings “{brings}”, which is hardly said "
        f"without it ({trigger.count} times). Answers to it are learnt once a second reviewer agrees.",
        answers=tuple(sorted(answers)),
    )

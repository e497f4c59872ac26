"""Whether two answers to one question cannot both be right: they give different facts, or say the opposite.

Two right answers may be worded as differently as they like, and one may tell more than the other. So a conflict is only
what stands in the same place and differs: another number before the same unit, another name after the same word,
another link where each gives but one; yes against no; or two short answers that have no word of matter in common.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from store.near_questions import plain
from store.wording import FILLERS
from trainer.facts import Fact, facts, stated

SHORT, BRIEF = 14, 30
"""Up to so many words an answer says one thing, so that without a shared word it says another; or little more."""

ALIKE = 0.6
"""So much of their words two answers share that say the same, or the opposite."""

ONLY_VALUE = frozenset({"link", "address", "telephone", "code"})
"""Kinds of which a brief text with one alone means that one, whatever words stand around it."""

_NEGATIONS = """
no not never cannot cant dont doesnt isnt arent wont mustnt shouldnt without none nobody
"""
NEGATIONS = frozenset(_NEGATIONS.split())
_LINKING = """
a an and are as at be been by for from if in is it its of on or our that the to us we with you your
"""
LINKING = frozenset(_LINKING.split())
NAME = re.compile(r"(?<![.!?:;\n])(?<![.!?:;\n] )\b([^\W\d_]+) ([A-Z][^\W\d_]{2,})\b")
APOSTROPHE = re.compile(r"['\u2019]")
STEP = re.compile(r"(?:(?<=[.:!?;] )|^)\d{1,2}[.)]\s+(?=\W?[A-Z])", re.MULTILINE)
"""The number of a step within a line, which is no fact."""


@dataclass(frozen=True)
class Claims:
    """What an answer states: the only value of a kind, values by kind and a word beside them, words, negations."""

    single: dict[str, str]
    beside: dict[tuple[str, str], frozenset[str]]
    words: frozenset[str]
    negations: int
    opening: str
    length: int


@lru_cache(maxsize=4096)
def claims(answer: str) -> Claims:
    """What an answer states."""
    words = plain(APOSTROPHE.sub("", answer)).split()
    brief = len(words) <= BRIEF
    kinds: dict[str, set[str]] = {}
    beside: dict[tuple[str, str], set[str]] = {}
    for fact in stated(STEP.sub("", answer)):
        kinds.setdefault(fact.kind, set()).add(fact.value)
        for place in _places(fact):
            beside.setdefault(place, set()).add(fact.value)
    for before, name in NAME.findall(answer) if brief else ():
        beside.setdefault(("name", before.lower()), set()).add(name.lower())
    only = {kind: next(iter(values)) for kind, values in kinds.items() if kind in ONLY_VALUE and len(values) == 1}
    return Claims(
        single=only if brief else {},
        beside={place: frozenset(values) for place, values in beside.items()},
        words=frozenset(words) - LINKING - FILLERS - NEGATIONS,
        negations=sum(word in NEGATIONS for word in words),
        opening=words[0] if words else "",
        length=len(words),
    )


def _places(fact: Fact) -> list[tuple[str, str]]:
    # Two helpful pages after the same word do not exclude each other as two numbers before the same unit do.
    if fact.kind == "link":
        return []
    sides = (("before", fact.before), ("after", fact.after))
    return [(f"{fact.kind} {side}", word) for side, word in sides if word]


def conflict(question: str, left: str, right: str) -> str:
    """What speaks against both answers to a question being right, in words; empty where nothing does."""
    mine, theirs = claims(left), claims(right)
    asked = facts(question) | set(plain(question).split())
    for kind, value in mine.single.items():
        other = theirs.single.get(kind, value)
        if other != value and not {value, other} & asked:
            return f"one gives {value}, the other {other}"
    longer = max(mine.length, theirs.length)
    for place, values in mine.beside.items():
        others = theirs.beside.get(place, values)
        tells = longer <= SHORT or place[1] not in LINKING
        if tells and values.isdisjoint(others) and not (values | others) & asked:
            return f"one gives {min(values)}, the other {min(others)}"
    return _said_otherwise(mine, theirs, longer)


def _said_otherwise(mine: Claims, theirs: Claims, longer: int) -> str:
    if {mine.opening, theirs.opening} == {"yes", "no"}:
        return "one says yes, the other no"
    shared, either = mine.words & theirs.words, mine.words | theirs.words
    same = bool(either) and len(shared) / len(either) >= ALIKE
    if longer <= BRIEF and same and bool(mine.negations) != bool(theirs.negations):
        return "one denies what the other affirms"
    if longer <= SHORT and mine.words and theirs.words and not shared:
        return "they have no word in common"
    return ""

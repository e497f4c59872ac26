"""The exact facts of a text: what a support answer must get right to the letter, such as a phone number or a price.

Recognised are e-mail addresses, links, telephone numbers, times, codes with digits (`CX-19`) and other numbers, each
in one canonical form: `2 pm` and `14:00` are the same time, `$1,200.00` and `1200` the same number.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
LINK = re.compile(r"(?:https?://)?(?:www\.)?((?:[a-z0-9-]+\.)+[a-z]{2,}(?:/[^\s<>()\[\]|\"']*)?)", re.IGNORECASE)
PHONE = re.compile(r"(?<![\w.])(?=[+(]|(?:\d+[ ./-]){2})\+?[\d(](?:[ ./()-]{0,2}\d){6,14}(?!\w)")
DATE = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
TIME = re.compile(
    r"(?<![\d.,])(\d{1,2})(?:[:.]([0-5]\d))?\s*([ap])\.?m\b\.?|(?<![\d.,])([01]?\d|2[0-3]):([0-5]\d)(?!\d)", re.I
)
CODE = re.compile(r"\b(?=[A-Z0-9-]*\d)(?=[A-Z0-9-]*[A-Z])[A-Z0-9]+(?:-[A-Z0-9]+)*\b")
NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.])\d+(?:\.\d+)?")
WORD = re.compile(r"[^\W\d_]+")
AROUND = 40
LIST_MARKER = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)


@dataclass(frozen=True)
class Fact:
    """A fact where a text states it: its kind, its canonical form, and the word before and the word after it."""

    kind: str
    value: str
    before: str
    after: str


def facts(text: str) -> frozenset[str]:
    """The facts that a text states."""
    return frozenset(fact.value for fact in stated(text))


def stated(text: str) -> list[Fact]:
    """The facts that a text states, each with the words around it."""
    found: list[Fact] = []
    rest = LIST_MARKER.sub(" ", text)
    for kind, pattern, canonical in FINDERS:
        for match in pattern.finditer(rest):
            # The words around are cut off by length: looking at the whole text for each fact would be quadratic.
            before = WORD.findall(rest[max(0, match.start() - AROUND) : match.start()])
            after = WORD.findall(rest[match.end() : match.end() + AROUND])
            found.append(Fact(kind, canonical(match), *_ends(before, after)))
        # What one pattern took must not be read again as something smaller: a phone number holds numbers.
        rest = pattern.sub(" ", rest)
    return found


def _ends(before: list[str], after: list[str]) -> tuple[str, str]:
    return before[-1].lower() if before else "", after[0].lower() if after else ""


def recall(reference: str, answer: str) -> float | None:
    """The share of the reference's facts that the answer states as well; None when the reference has none."""
    wanted = facts(reference)
    return len(wanted & facts(answer)) / len(wanted) if wanted else None


def _time(found: re.Match[str]) -> str:
    if found[4] is not None:
        return f"{int(found[4]):02}:{found[5]}"
    hour = int(found[1]) % 12 + (12 if found[3].lower() == "p" else 0)
    return f"{hour:02}:{found[2] or '00'}"


def _number(found: re.Match[str]) -> str:
    plain = found[0].replace(",", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain.lstrip("0") or "0"


FINDERS: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    ("address", EMAIL, lambda found: found[0].lower().rstrip(".")),
    ("link", LINK, lambda found: found[1].lower().rstrip("./,;:!?")),
    ("date", DATE, lambda found: found[0]),
    ("telephone", PHONE, lambda found: re.sub(r"\D", "", found[0])),
    ("time", TIME, _time),
    ("code", CODE, lambda found: found[0]),
    ("number", NUMBER, _number),
)

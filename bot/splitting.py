"""A long answer as several messages: cut where it hurts least, so that each piece stands for itself.

Slack takes 12,000 characters of Markdown in a message, and about 13,200 in all its blocks as JSON (bolt-js#2509). A
text is cut from its beginning on, so pieces that are posted already do not change while the text grows.
"""

import json
import re
from collections.abc import Iterator
from itertools import accumulate

PIECE_CHARACTERS = 9_000
"""Of a piece as JSON; leaves room for what stands below an answer."""
PLAIN_CHARACTERS = 3_500
"""Of a piece without blocks: `chat.update` takes 4,000 characters of text."""

FENCE = "```"
_ESCAPED = frozenset('"\\\n\r\t')
_FENCE_LINE = re.compile(r"^ {0,3}`{3,}([^\n`]{0,40})$", re.MULTILINE)
_TABLE_HEAD = re.compile(r"(?:\A|\n)(\|[^\n]{1,500}\n\|[ :|-]{3,300}\n)(?:\|[^\n]*\n)*\Z")
_PARAGRAPH, _LINE, _WORD = re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?。])\s|\s")


def pieces(shown: str, limit: int = PIECE_CHARACTERS) -> list[str]:
    """A text in as many pieces as it takes, each at most `limit` characters as JSON; at least one."""
    found = []
    while size(shown) > limit:
        piece, shown = _cut(shown, limit)
        found.append(piece)
    return [*found, shown] if shown.strip() or not found else found


def size(text: str) -> int:
    """The characters that a text takes within JSON."""
    return len(json.dumps(text, ensure_ascii=False)) - 2


def _cut(text: str, limit: int) -> tuple[str, str]:
    # A fence that is cut is closed, and opened again in the next piece.
    window = text[: _fitting(text, limit - 2 * len(FENCE))]
    at = _boundary(window)
    piece, rest = text[:at].rstrip(), text[at:].lstrip("\n")
    fences = _FENCE_LINE.findall(piece)
    if len(fences) % 2:
        return f"{piece}\n{FENCE}", f"{FENCE}{fences[-1].strip()}\n{rest}"
    head = _TABLE_HEAD.search(piece + "\n")
    if head and rest.startswith("|"):
        return piece, head[1] + rest
    return piece, rest


def _fitting(text: str, limit: int) -> int:
    sizes = accumulate(2 if character in _ESCAPED else 1 for character in text)
    return max(1, next(index for index, total in enumerate(sizes) if total > limit))


def _boundary(window: str) -> int:
    """Where to cut: after a paragraph or line outside code, after a line of code, after a word, or anywhere."""
    for ends in (_outside_code(window, _PARAGRAPH), _outside_code(window, _LINE), _ends(window, _LINE)):
        if (last := max(ends, default=0)) > len(window) // 2:
            return last
    return max(_ends(window, _WORD), default=0) or len(window)


def _ends(window: str, boundary: re.Pattern[str]) -> Iterator[int]:
    return (found.end() for found in boundary.finditer(window))


def _outside_code(window: str, boundary: re.Pattern[str]) -> Iterator[int]:
    fences = [found.start() for found in _FENCE_LINE.finditer(window)]
    return (end for end in _ends(window, boundary) if sum(fence < end for fence in fences) % 2 == 0)

"""A long answer as several messages: cut where it hurts least, so that each piece stands for itself.

Slack takes 12,000 characters of Markdown in a message, and about 13,200 in all its blocks as JSON (bolt-js#2509). A
text is cut from its beginning on, so pieces that are posted already do not change while the text grows. It is cut
before it is made safe, and then each piece is made safe by itself: a cut must not turn code into a live link.
"""

import re
from collections.abc import Collection, Iterator
from itertools import accumulate

from bot.safe_text import safe_markdown

PIECE_CHARACTERS = 8_000
"""Of a piece, escaped and as JSON; leaves room for what stands below an answer, and for links shown as code."""
PLAIN_CHARACTERS = 3_000
"""Of a piece without blocks: `chat.update` takes 4,000 characters of text."""

_WIDTHS = {"&": 5, "<": 4, ">": 4} | dict.fromkeys('"\\\n\r\t', 2)
_FENCE_LINE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n`]{0,40})$", re.MULTILINE)
_TABLE_HEAD = re.compile(r"(?:\A|\n)(\|[^\n]{1,500}\n\|[ :|-]{3,300}\n)(?:\|[^\n]*\n)*\Z")
_PARAGRAPH, _LINE, _WORD = re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?。])\s|\s")


def safe_pieces(text: str, link_hosts: Collection[str] = (), limit: int = PIECE_CHARACTERS) -> list[str]:
    """The model's text as Markdown that Slack may show, in as many pieces as it takes; at least one."""
    return [safe_markdown(piece, link_hosts) for piece in pieces(text, limit)]


def pieces(text: str, limit: int = PIECE_CHARACTERS) -> list[str]:
    """A text in as many pieces as it takes, each at most `limit` wide; at least one."""
    found = []
    while width(text) > limit:
        piece, text = _cut(text, limit)
        found.append(piece)
    return [*found, text] if text.strip() or not found else found


def width(text: str) -> int:
    """The characters that a text takes when it is escaped and written as JSON."""
    return len(text) + sum((wide - 1) * text.count(character) for character, wide in _WIDTHS.items())


def _cut(text: str, limit: int) -> tuple[str, str]:
    window = text[: _fitting(text, limit - 20)]
    at = _boundary(window)
    piece, rest = text[:at].rstrip(), text[at:].lstrip("\n")
    fences = _FENCE_LINE.findall(piece)
    if len(fences) % 2:
        # Code that is cut is closed, and opened again in the next piece.
        fence, language = fences[-1][0][:10], fences[-1][1].strip()
        return f"{piece}\n{fence}", f"{fence}{language}\n{rest}"
    head = _TABLE_HEAD.search(piece + "\n")
    if head and rest.startswith("|"):
        return piece, head[1] + rest
    return piece, rest


def _fitting(text: str, limit: int) -> int:
    widths = accumulate(_WIDTHS.get(character, 1) for character in text)
    return max(1, next(index for index, total in enumerate(widths) if total > limit))


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

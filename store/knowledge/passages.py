"""Cuts a document into passages of a size that fits a prompt, at paragraphs and never across a heading."""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

from store.knowledge.documents import ReadDocument

LONGEST = 1500
"""Characters in a passage: three of them leave room for a conversation in a context of 2,048 tokens."""


@dataclass(frozen=True)
class Piece:
    """A part of a document, and the heading it stands below."""

    heading: str
    text: str


def cut(document: ReadDocument, longest: int = LONGEST) -> list[Piece]:
    """The passages of a document in reading order, each of at most `longest` characters."""
    return [
        Piece(section.heading, text) for section in document.sections for text in _packed(section.paragraphs, longest)
    ]


def _packed(paragraphs: list[str], longest: int) -> Iterator[str]:
    held = ""
    for paragraph in paragraphs:
        for part in wrap(paragraph, longest, break_on_hyphens=False):
            if held and len(held) + len(part) + 1 > longest:
                yield held
                held = ""
            held = f"{held}\n{part}".strip()
    if held:
        yield held

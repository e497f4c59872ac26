"""Reads a document of any supported kind into titled sections of plain text."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from markdown_it import MarkdownIt
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from store.errors import BadInput
from store.text_encoding import encoding_of

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
BLOCKS = frozenset({"p", "li", "pre", "tr", "div", "section", "article", "blockquote", "br", "dt", "dd", "table"})
UNSEEN = frozenset({"script", "style", "template", "noscript", "title", "nav"})


@dataclass(frozen=True)
class Section:
    """A heading, empty where there is none, and the paragraphs below it."""

    heading: str
    paragraphs: list[str]


@dataclass(frozen=True)
class ReadDocument:
    """A document's title and its sections, in reading order."""

    title: str
    sections: list[Section]


def read(path: Path) -> ReadDocument:
    """Read a document; the kind is told by the ending.

    Raises:
        BadInput: the kind is not supported, the file cannot be read, or there is no text in it.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise BadInput(f"{path} is no document that I can read: I know {', '.join(sorted(READERS))}.")
    found = reader(path)
    if not any(section.paragraphs for section in found.sections):
        raise BadInput(f"There is no text in {path}. A scanned PDF needs text recognition first.")
    return found


def _text(path: Path) -> str:
    return path.read_text(encoding=encoding_of(path), errors="replace")


def _read_html(path: Path) -> ReadDocument:
    return _from_html(_text(path), path.stem)


def _read_markdown(path: Path) -> ReadDocument:
    # `js-default` does not let raw HTML through: what looks like a tag stays text.
    return _from_html(MarkdownIt("js-default").render(_text(path)), path.stem)


def _read_plain(path: Path) -> ReadDocument:
    return ReadDocument(path.stem, [Section("", _paragraphs(_text(path)))])


def _read_pdf(path: Path) -> ReadDocument:
    try:
        reader = PdfReader(path)
        pages = [page.extract_text() for page in reader.pages]
        title = (reader.metadata.title if reader.metadata else None) or path.stem
    except (PyPdfError, OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as a PDF: {error}") from error
    sections = [Section(f"Page {number}", _paragraphs(text)) for number, text in enumerate(pages, start=1)]
    return ReadDocument(title, sections)


READERS: dict[str, Callable[[Path], ReadDocument]] = {
    ".md": _read_markdown,
    ".markdown": _read_markdown,
    ".html": _read_html,
    ".htm": _read_html,
    ".pdf": _read_pdf,
    ".txt": _read_plain,
}


def _paragraphs(text: str) -> list[str]:
    return [words for part in text.replace("\r\n", "\n").split("\n\n") if (words := " ".join(part.split()))]


def _from_html(page: str, name: str) -> ReadDocument:
    parser = _Outline()
    parser.feed(page)
    parser.close()
    parser.end_block()
    first = next((section.heading for section in parser.sections if section.heading), "")
    return ReadDocument(parser.title.strip() or first or name, parser.sections)


@dataclass
class _Outline(HTMLParser):
    """Collects headings and paragraphs; what a reader does not see is left out."""

    title: str = ""
    sections: list[Section] = field(default_factory=lambda: [Section("", [])])

    def __post_init__(self) -> None:
        super().__init__()
        self._words: list[str] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a block, or something that is not shown."""
        del attrs
        if tag in UNSEEN:
            self._unseen.append(tag)
        elif tag in BLOCKS | HEADINGS:
            self.end_block()

    def handle_endtag(self, tag: str) -> None:
        """End a block; the words of a heading begin a section."""
        if self._unseen and self._unseen[-1] == tag:
            self._unseen.pop()
        elif tag in HEADINGS:
            self.sections.append(Section(self._take(), []))
        elif tag in BLOCKS:
            self.end_block()

    def handle_data(self, data: str) -> None:
        """Keep words that are shown, and the title."""
        if not self._unseen:
            self._words.append(data)
        elif self._unseen[-1] == "title":
            self.title += data

    def end_block(self) -> None:
        """What was read since the last block is a paragraph of its own."""
        if words := self._take():
            self.sections[-1].paragraphs.append(words)

    def _take(self) -> str:
        words = " ".join("".join(self._words).split())
        self._words.clear()
        return words

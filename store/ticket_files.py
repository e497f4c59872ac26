"""Past tickets in a file, JSONL or CSV, read line by line: each line is a ticket or is named with what is wrong.

The file is streamed, so its size does not matter. Fields: `question` and `answer`, and if it has them `id`,
`topic`, `asker`, `created_at` and `night`; a mapping says under which names the file holds them.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from store.errors import BadInput
from store.text_encoding import UNREADABLE, encoding_of

REQUIRED = ("question", "answer")
OPTIONAL = ("id", "topic", "asker", "created_at", "night")

MAX_TEXT = 40_000
"""Longest question or answer, in characters: Slack's own limit for the text of one message."""

MAX_LABEL = 200
MAX_LINE = 1_000_000
# Nine digits or more, as Slack and databases write them; eight are a date (20261124).
EPOCH_SECONDS = re.compile(r"\d{9,}(\.\d+)?")

DELIMITERS = (",", ";", "\t", "|")

CSV_ENDINGS = {".csv", ".tsv"}
JSON_ENDINGS = {".jsonl", ".ndjson", ".json"}


@dataclass(frozen=True)
class BadLine:
    """A line that is no ticket: its number, counted from 1, and the reason."""

    number: int
    reason: str

    def __str__(self) -> str:
        """As it is shown to the person who imports."""
        return f"line {self.number}: {self.reason}"


@dataclass(frozen=True)
class PastTicket:
    """A question and the answer that was right for it."""

    line: int
    question: str
    answer: str
    id: str = ""
    topic: str = ""
    asker: str = ""
    created_at: datetime | None = None
    night: str = ""
    """Of a simulated school year, the night before which the question is asked."""

    @property
    def key(self) -> str:
        """The same for the same question and answer, whatever the file: by it a ticket is added only once."""
        return hashlib.sha256(f"{self.question}\0{self.answer}".encode()).hexdigest()[:32]


class _Unusable(Exception):
    """Why a line is no ticket; never leaves this module."""


class TicketFile:
    """A file of past tickets, checked when opened; iterating gives a ticket or a bad line for each line of it."""

    def __init__(self, path: Path, mapping: Mapping[str, str] | None = None) -> None:
        """Open a file whose field names differ from ours as `mapping` says, ours to the file's.

        Raises:
            BadInput: there is no such text file, or none of its lines could be a ticket.
        """
        unknown = sorted(set(mapping or {}) - {*REQUIRED, *OPTIONAL})
        if unknown:
            raise BadInput(f"There is no field {_listed(unknown)} to map: choose from {_listed(REQUIRED + OPTIONAL)}.")
        self.path = path
        self.names = {name: name for name in REQUIRED + OPTIONAL} | dict(mapping or {})
        self.encoding = encoding_of(path)
        self.size = path.stat().st_size
        self.position = 0
        """How many bytes have been read."""
        self.unseen = set((mapping or {}).values())
        """Mapped names that no line has had so far."""
        self.is_csv = self._looks_like_csv()
        self._line = 0
        self._header, self._delimiter = self._read_header() if self.is_csv else ([], "")

    def __iter__(self) -> Iterator[PastTicket | BadLine]:
        """Every line that is not blank."""
        with self._open() as file:
            for number, record in self._csv_records(file) if self.is_csv else self._json_records(file):
                try:
                    yield self._ticket(number, record)
                except _Unusable as reason:
                    yield BadLine(number, str(reason))

    def _open(self) -> TextIO:
        self._line = 0
        newline = "" if self.is_csv else None
        return self.path.open(encoding=self.encoding, errors="replace", newline=newline)

    def _looks_like_csv(self) -> bool:
        ending = self.path.suffix.lower()
        with self.path.open(encoding=self.encoding, errors="replace") as file:
            start = file.read(MAX_LINE).lstrip()
        if start.startswith("[") and ending not in CSV_ENDINGS:
            raise BadInput(f"{self.path} is one JSON list: write one ticket a line instead (JSONL), without brackets.")
        return ending in CSV_ENDINGS or (ending not in JSON_ENDINGS and not start.startswith("{"))

    def _lines(self, file: TextIO) -> Iterator[str]:
        while line := file.readline(MAX_LINE):
            self._line += 1
            rest = line
            while len(rest) == MAX_LINE and not rest.endswith("\n"):
                rest = file.readline(MAX_LINE)
            self.position = file.buffer.tell()
            yield line

    def _json_records(self, file: TextIO) -> Iterator[tuple[int, Any]]:
        for line in self._lines(file):
            if line.strip():
                yield self._line, _parsed(line)

    def _read_header(self) -> tuple[list[str], str]:
        with self._open() as file:
            line = next(self._lines(file), "")
        rows = [(next(csv.reader([line], delimiter=delimiter), []), delimiter) for delimiter in DELIMITERS]
        cells, delimiter = max(rows, key=lambda row: len(row[0]))
        header = [cell.strip() for cell in cells]
        wanted = [self.names[name] for name in REQUIRED] + sorted(self.unseen)
        missing = [name for name in dict.fromkeys(wanted) if name not in header]
        if missing:
            raise BadInput(
                f"{self.path} has no column {_listed(missing)}. Its columns are {_listed(header)}: "
                "name the right one with --map, as in --map answer=reply."
            )
        return header, delimiter

    def _csv_records(self, file: TextIO) -> Iterator[tuple[int, Any]]:
        reader = csv.reader(self._lines(file), delimiter=self._delimiter, strict=True)
        next(reader)
        while True:
            number = self._line + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, _Unusable(f"is not valid CSV: {error}")
                continue
            if len(cells) == len(self._header):
                yield number, dict(zip(self._header, cells, strict=True))
            elif cells:
                yield number, _Unusable(f"has {len(cells)} cells where the header has {len(self._header)}")

    def _ticket(self, number: int, record: Any) -> PastTicket:
        if isinstance(record, _Unusable):
            raise record
        self.unseen.difference_update(record)
        return PastTicket(
            line=number,
            question=_text(record, self.names["question"]),
            answer=_text(record, self.names["answer"]),
            id=_label(record, self.names["id"]),
            topic=_label(record, self.names["topic"]),
            asker=_label(record, self.names["asker"]),
            created_at=_moment(record, self.names["created_at"]),
            night=_label(record, self.names["night"]),
        )


def _parsed(line: str) -> Any:
    if len(line) == MAX_LINE:
        return _Unusable(f"is longer than {MAX_LINE:,} characters")
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _Unusable(f"is not JSON: {error}")
    return record if isinstance(record, dict) else _Unusable("is JSON, but not an object with fields")


def _text(record: dict[str, Any], name: str) -> str:
    if name not in record:
        raise _Unusable(f"has no field {name!r}; it has {_listed(record)}")
    text = record[name]
    if not isinstance(text, str):
        raise _Unusable(f"{name!r} is not text")
    _refuse_broken(text, name)
    if not text.strip():
        raise _Unusable(f"{name!r} is empty")
    if len(text) > MAX_TEXT:
        raise _Unusable(f"{name!r} has {len(text):,} characters; at most {MAX_TEXT:,} fit into a Slack message")
    return text.strip()


def _label(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise _Unusable(f"{name!r} is neither text nor a number")
    label = str(value).strip()
    _refuse_broken(label, name)
    if len(label) > MAX_LABEL:
        raise _Unusable(f"{name!r} is longer than {MAX_LABEL} characters")
    return label


def _moment(record: dict[str, Any], name: str) -> datetime | None:
    written = _label(record, name)
    if not written:
        return None
    try:
        if EPOCH_SECONDS.fullmatch(written):
            return datetime.fromtimestamp(float(written), UTC)
        moment = datetime.fromisoformat(written)
    except (ValueError, OverflowError, OSError):
        raise _Unusable(f"{name!r} is neither an ISO 8601 date nor seconds since 1970: {written[:40]}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _refuse_broken(text: str, name: str) -> None:
    # Postgres stores no NUL, and no encoding stores half of a surrogate pair (JSON can spell both).
    if "\0" in text or UNREADABLE in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise _Unusable(f"{name!r} holds characters that cannot be read; save the file as UTF-8")


def _listed(names: Any) -> str:
    shown = [repr(str(name)[:40]) for name in names]
    return ", ".join(shown[:12]) + (" and more" if len(shown) > 12 else "") if shown else "none"

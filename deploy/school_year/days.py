"""Dated tickets as the days of a school year: what is asked on each, and what each right answer is."""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from store.errors import BadInput
from store.near_questions import plain
from store.ticket_files import PastTicket, TicketFile

LONGEST = 1500
"""Characters of a question or an answer: both and what is retrieved must fit into a small model's context."""

SHOWN_BAD_LINES = 5


@dataclass(frozen=True)
class Day:
    """What is asked before one night, in the order of the file; `label` is the file's own name for the day."""

    number: int
    label: str
    tickets: tuple[PastTicket, ...]


@dataclass(frozen=True)
class Days:
    """The days of a file, and in words what of it is not used."""

    days: tuple[Day, ...]
    notes: tuple[str, ...] = ()


def read_days(path: Path, mapping: Mapping[str, str], nights: int, tickets_per_night: int) -> Days:
    """The first `nights` days of a file, of each the first `tickets_per_night` tickets.

    A day is a value of the field `night` where the file has one, else a date (UTC) of `created_at` or `date`. A
    question that was asked on an earlier line is left out: it would be asked of a version that knows it word for word.

    Raises:
        BadInput: the file cannot be read, or no line of it says when it was asked.
    """
    tickets, bad = _read(path, mapping)
    if not any(_day_of(ticket) for ticket in tickets) and "created_at" not in mapping:
        with contextlib.suppress(BadInput):
            tickets, bad = _read(path, {**mapping, "created_at": "date"})
    if not tickets:
        raise BadInput(f"No line of {path} is a ticket.\n" + "\n".join(bad[:SHOWN_BAD_LINES]))
    found: defaultdict[str, list[PastTicket]] = defaultdict(list)
    seen: set[str] = set()
    undated = too_long = again = 0
    for ticket in tickets:
        day, key = _day_of(ticket), plain(ticket.question)
        undated += not day
        too_long += max(len(ticket.question), len(ticket.answer)) > LONGEST
        again += key in seen
        if day and key not in seen and max(len(ticket.question), len(ticket.answer)) <= LONGEST:
            found[day].append(ticket)
        seen.add(key)
    if undated == len(tickets):
        raise BadInput(
            f"No line of {path} says when it was asked. Name the column with --map created_at=COLUMN (a date), or "
            "with --map night=COLUMN (the number of the night)."
        )
    counted = {"without a date": undated, f"longer than {LONGEST:,} characters": too_long, "asked before": again}
    notes = [f"{len(bad)} lines were no tickets: {'; '.join(bad[:SHOWN_BAD_LINES])}"] if bad else []
    notes += [f"{count:,} tickets left out: {why}." for why, count in counted.items() if count]
    chosen = _in_order(found)[:nights]
    days = [Day(number, label, tuple(found[label][:tickets_per_night])) for number, label in enumerate(chosen, 1)]
    return Days(tuple(days), tuple(notes))


def _read(path: Path, mapping: Mapping[str, str]) -> tuple[list[PastTicket], list[str]]:
    tickets, bad = [], []
    file = TicketFile(path, mapping)
    for line in file:
        if isinstance(line, PastTicket):
            tickets.append(line)
        else:
            bad.append(str(line))
    missing = sorted(file.unseen & set(mapping.values()))
    if missing and mapping.get("created_at") != "date":
        raise BadInput(f"No line of {path} has a field {', '.join(missing)}: check --map.")
    return tickets, bad


def _day_of(ticket: PastTicket) -> str:
    if ticket.night:
        return ticket.night
    return ticket.created_at.date().isoformat() if ticket.created_at is not None else ""


def _in_order(labels: Iterable[str]) -> list[str]:
    """Numbers as numbers, dates as dates."""
    known = list(labels)
    numbers = all(label.isdecimal() for label in known)
    return sorted(known, key=lambda label: (int(label) if numbers else 0, label))

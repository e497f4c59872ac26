"""What redaction finds and what it wrongly masks, on sentences with marked personal data; and how long it takes.

The sentences are those of Presidio's research set (invented people). Kinds that have no form of their own, such as
names and addresses, are counted as what they are: not found.
"""

import json
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.redact import Kind, find

TITLE = "Redaction: what is found, what is wrongly masked"

SAMPLES = Path(__file__).parents[2] / "shared" / "data" / "pii" / "samples.jsonl"
KINDS = {
    "EMAIL_ADDRESS": Kind.EMAIL,
    "CREDIT_CARD": Kind.CARD,
    "IBAN_CODE": Kind.IBAN,
    "IP_ADDRESS": Kind.IP_ADDRESS,
    "PHONE_NUMBER": Kind.PHONE,
}
CHARACTERS = 100_000
HOSTILE = ("1 ", "a@", "a.", "(", "/", "=", "+1-", "sk-", "xoxb-", "eyJaaaaaaaa.", "AB12 ", "1.1.1.", "password=")
ROUNDS = 3


def table(quick: bool) -> str:
    """Recall and precision by kind, what is not looked for, and the slowest of some hostile texts."""
    del quick
    if not SAMPLES.exists():
        return f"{SAMPLES.name} of Presidio's research set is not here, so nothing was measured."
    rows = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    tally = Tally()
    for row in rows:
        tally.add(row)
    missing = ", ".join(f"{name.lower().replace('_', ' ')} {count}" for name, count in tally.unseen.most_common())
    slowest, piece = max((_milliseconds((piece * CHARACTERS)[:CHARACTERS]), piece) for piece in HOSTILE)
    return "\n".join(
        [
            "| kind | marked | found | recall | masked in all | precision |",
            "|---|---|---|---|---|---|",
            *(tally.line(kind) for kind in KINDS.values()),
            "",
            f"{len(rows)} sentences. Not looked for, since it has no form of its own: {missing}. "
            f"{CHARACTERS:,} characters of the worst of {len(HOSTILE)} hostile texts (`{piece}` repeated) take "
            f"{slowest:.0f} ms of processor time.",
        ]
    )


@dataclass
class Tally:
    """Counts by kind: spans that are marked, of them found, places masked in all, of them wrongly."""

    marked: Counter[Kind] = field(default_factory=Counter)
    hit: Counter[Kind] = field(default_factory=Counter)
    claimed: Counter[Kind] = field(default_factory=Counter)
    wrong: Counter[Kind] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)

    def add(self, row: dict[str, Any]) -> None:
        """Count one sentence."""
        found = find(row["text"])
        spans = [span for span in row["spans"] if span["type"] in KINDS]
        self.unseen.update(span["type"] for span in row["spans"] if span["type"] not in KINDS)
        for span in spans:
            kind = KINDS[span["type"]]
            self.marked[kind] += 1
            self.hit[kind] += any(one.start <= span["start"] and span["end"] <= one.end for one in found)
        for one in found:
            self.claimed[one.kind] += 1
            self.wrong[one.kind] += not any(span["start"] < one.end and one.start < span["end"] for span in spans)

    def line(self, kind: Kind) -> str:
        """The row of a kind in the table."""
        recall, precision = self.hit[kind] / self.marked[kind], 1 - self.wrong[kind] / self.claimed[kind]
        return (
            f"| {kind} | {self.marked[kind]} | {self.hit[kind]} | {100 * recall:.1f} % | {self.claimed[kind]} | "
            f"{100 * precision:.1f} % |"
        )


def _milliseconds(text: str) -> float:
    spent = []
    for _ in range(ROUNDS):
        started = time.process_time()
        find(text)
        spent.append(1000 * (time.process_time() - started))
    return statistics.median(spent)

"""A store full of invented reviewed tickets, written in bulk: as varied as a few years of a busy help desk.

Questions have 8 to 40 words and answers 30 to 120. A share of the tickets repeats an earlier one, word for word or in
nearly the same words; some threads go on with a second question; some reviewers correct, reject, or disagree.
"""

import random
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, insert

from store.prompt import question_messages
from store.session import Store
from store.tables import Answer, Message, Review, Ticket, now
from store.words import DeliveryState, Role, Surface, TicketStatus, Verdict, Visibility

SYSTEM = "You are the support assistant of our company. Answer briefly and correctly."
BATCH = 5_000
CHANNELS = 40
ASKERS = 5_000
REVIEWERS = 30
RECENT = 2_000
"""How far back a repeated question may lie, in tickets."""
REPEATED, REWORDED, FOLLOWED, CORRECTED, REJECTED, SECOND_OPINION = 0.05, 0.10, 0.08, 0.15, 0.05, 0.02
SYLLABLES = [
    first + vowel for first in ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t") for vowel in "aeiou"
]


def fill(store: Store, answers: int, seed: int = 17) -> None:
    """Store so many reviewed answers; the same seed gives the same texts."""
    writer = _Writer(random.Random(seed))
    while writer.answers < answers:
        rows = writer.batch(min(BATCH, answers - writer.answers))
        with store.writing() as session:
            _insert(session, rows)


Rows = dict[Any, list[dict[str, Any]]]


def _insert(session: Session, rows: Rows) -> None:
    for table, values in rows.items():
        if values:
            session.exec(insert(table), params=values)


class _Writer:
    """Invents tickets one after another, and numbers what belongs to them."""

    def __init__(self, chance: random.Random) -> None:
        self.answers = 0
        self._tickets = 0
        self._chance = chance
        self._words = ["".join(chance.choices(SYLLABLES, k=chance.choice((1, 2, 2, 3, 3, 4)))) for _ in range(20_000)]
        self._recent: list[str] = []
        self._start = now() - timedelta(days=900)

    def batch(self, answers: int) -> Rows:
        """The rows of that many answers, tables in the order in which they refer to each other."""
        rows: Rows = {Ticket: [], Message: [], Answer: [], Review: []}
        last = self.answers + answers
        while self.answers < last:
            question = self._question()
            self._ticket(rows, question)
            self._answer(rows, question)
            if self.answers < last and self._chance.random() < FOLLOWED:
                self._answer(rows, self._text(8, 25) + "?")
        return rows

    def _text(self, least: int, most: int) -> str:
        # Squared, so that some words are frequent and most are rare.
        count = self._chance.randint(least, most)
        return " ".join(self._words[int(self._chance.random() ** 2 * len(self._words))] for _ in range(count))

    def _question(self) -> str:
        drawn = self._chance.random()
        if self._recent and drawn < REPEATED:
            return self._chance.choice(self._recent)
        if self._recent and drawn < REPEATED + REWORDED:
            words = self._chance.choice(self._recent).split()
            words[self._chance.randrange(len(words))] = self._chance.choice(self._words)
            return " ".join(words)
        question = self._text(8, 40).capitalize() + "?"
        if len(self._recent) == RECENT:
            self._recent[self._chance.randrange(RECENT)] = question
        else:
            self._recent.append(question)
        return question

    def _ticket(self, rows: Rows, question: str) -> None:
        self._tickets += 1
        asker = f"U{self._chance.randrange(ASKERS):09}"
        rows[Ticket].append(
            {
                "id": self._tickets,
                "team_id": "T0LOCAL0001",
                "channel_id": f"C{self._chance.randrange(CHANNELS):09}",
                "thread_ts": f"{1_600_000_000 + self._tickets}.000100",
                "asker_id": asker,
                "surface": Surface.MENTION,
                "visibility": Visibility.PRIVATE if self._chance.random() < 0.02 else Visibility.PUBLIC,
                "status": TicketStatus.ANSWERED,
                "question": question,
                "created_at": self._moment(),
            }
        )
        rows[Message].append(
            {
                "ticket_id": self._tickets,
                "ts": f"{self._tickets}.1",
                "person_id": asker,
                "role": Role.ASKER,
                "text": question,
            }
        )

    def _answer(self, rows: Rows, question: str) -> None:
        self.answers += 1
        drawn = self._chance.random()
        text = self._text(30, 120).capitalize() + "."
        if drawn < 0.03:
            text += (
                f" Write to {self._chance.choice(self._words)}@example.com or call +1 202 555 01{drawn * 3000:02.0f}."
            )
        rows[Answer].append(
            {
                "id": self.answers,
                "ticket_id": self._tickets,
                "event_id": f"Ev{self.answers}",
                "question_ts": f"{self._tickets}.{self.answers}",
                "messages": question_messages(SYSTEM, question),
                "text": text,
                "state": DeliveryState.DELIVERED,
                "created_at": self._moment(),
            }
        )
        reviewers = 2 if self._chance.random() < SECOND_OPINION else 1
        rows[Review] += [self._review(number) for number in self._chance.sample(range(REVIEWERS), reviewers)]

    def _review(self, reviewer: int) -> dict[str, Any]:
        drawn = self._chance.random()
        verdict = Verdict.ACCEPTED
        if drawn < CORRECTED:
            verdict = Verdict.CORRECTED
        elif drawn < CORRECTED + REJECTED:
            verdict = Verdict.REJECTED
        return {
            "answer_id": self.answers,
            "reviewer_id": f"U1{reviewer:08}",
            "verdict": verdict,
            "correction": self._text(30, 120) if verdict is Verdict.CORRECTED else "",
            "created_at": self._moment(),
            "updated_at": self._moment(),
        }

    def _moment(self) -> datetime:
        return self._start + timedelta(seconds=40 * self.answers)

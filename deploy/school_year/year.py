"""The year itself: each day is asked, answered, compared and reviewed, each night learns; a killed year goes on."""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select

from deploy import local
from deploy.school_year.days import Day, Days, read_days
from deploy.school_year.home import own_home
from deploy.school_year.night import sleep_and_learn
from deploy.school_year.people import ASKERS, Judgement, Page, page_at
from deploy.school_year.records import (
    BASE_MODEL,
    NIGHTSCHOOL,
    RETRIEVAL,
    NightRecord,
    Plan,
    Question,
    Records,
    Said,
    finite,
)
from deploy.school_year.report import write_report
from deploy.school_year.rivals import Library, compare
from serving.client import ModelClient
from store import artifacts, nights
from store.errors import BadInput, NightschoolError
from store.reviews import REVIEWABLE
from store.session import Store
from store.settings import Settings
from store.tables import BASE, Answer, Ticket
from store.words import ReviewState, Verdict
from trainer.scores import scores
from trainer.work import Say

ANSWERED_WITHIN_S = 900.0
AT_ONCE = 8


@dataclass(frozen=True)
class Options:
    """How a year is lived, and the folder of what comes of it."""

    out: Path
    mapping: dict[str, str]
    nights: int = 14
    tickets_per_night: int = 12
    promote_all: bool = False
    documents: Path | None = None


def simulate(file: Path, options: Options, say: Say) -> Path:
    """Live a school year, or go on with it; the report.

    Raises:
        BadInput: the file, a document or a setting cannot be used, or another year is in the folder.
        NightschoolError: the product did not start, or a night failed; the same call goes on from there.
    """
    found = read_days(file, options.mapping, options.nights, options.tickets_per_night)
    library = Library(options.documents)
    with own_home(options.out / "home") as settings:
        records = Records(settings.home / "year", _plan(file, options, settings))
        if any((record := records.get(day.number)) is None or not record.finished for day in found.days):
            with local.without_nights(settings) as address:
                store = Store.of(settings)
                Year(settings, store, address, library, records, options.promote_all, say).live(found.days)
                store.close()
        return write_report(options.out, records.finished()[: len(found.days)], _facts(file, options, settings, found))


@dataclass
class Year:
    """A year under way in a product that runs."""

    settings: Settings
    store: Store
    address: str
    library: Library
    records: Records
    promote_all: bool
    say: Say

    def live(self, days: Sequence[Day]) -> None:
        """Every day that is not over yet, with its night."""
        spent: list[float] = []
        known: list[Question] = []
        for day in days:
            record = self.records.get(day.number) or _new(day)
            if not record.finished:
                left = _left(spent, len(days) - day.number + 1)
                self.say(f"Night {day.number} of {len(days)} ({day.label}): {len(day.tickets)} questions{left}")
                started = time.monotonic()
                self._one(record, known)
                spent.append(time.monotonic() - started)
            known += record.questions
            self.library.learn(record.questions)

    def _one(self, record: NightRecord, known: Sequence[Question]) -> None:
        started = time.monotonic()
        asyncio.run(self._day(record, known))
        record.seconds += time.monotonic() - started
        self.records.put(record)
        started = time.monotonic()
        self.say(
            f"Night {record.number}: right were {record.share_right(NIGHTSCHOOL):.0f} % "
            f"(base model {record.share_right(BASE_MODEL):.0f} %, with retrieval {record.share_right(RETRIEVAL):.0f} %)"
        )
        sleep_and_learn(self.settings, self.store, record, promote_all=self.promote_all, say=self.say)
        record.seconds += time.monotonic() - started
        record.finished = True
        self.records.put(record)
        self.say(f"Night {record.number}: production answers with {record.production}")

    async def _day(self, record: NightRecord, known: Sequence[Question]) -> None:
        client = ModelClient(self.settings)
        try:
            async with page_at(self.address) as page:
                if not all(NIGHTSCHOOL in one.said for one in record.questions):
                    await self._ask(page, client, record)
                if not all(RETRIEVAL in one.said for one in record.questions):
                    await compare(client, self.settings.system_prompt, self.library, record.questions, known)
                    self.records.put(record)
                if not record.reviewed:
                    await self._review(page, record)
        finally:
            await client.aclose()
        with self.store.reading() as session:
            latest = nights.latest(session)
        if record.night_before is None:
            record.night_before = (latest.id or 0) if latest is not None else 0
            self.records.put(record)

    async def _ask(self, page: Page, client: ModelClient, record: NightRecord) -> None:
        """Have everything asked and answered through Slack, as many at once as a small machine bears."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(number: int, question: Question) -> None:
            async with turns:
                if not question.thread:
                    question.thread = await page.ask(ASKERS[number % len(ASKERS)], question.question)
                    self.records.put(record)
                answer = await self._answered(question.thread)
                likelihood = await _likelihood(client, answer, question.answer)
            found = finite(scores(answer.text, question.answer, likelihood))
            question.said[NIGHTSCHOOL] = Said(text=answer.text, by=answer.adapter or BASE, scores=found)

        await asyncio.gather(*(one(number, question) for number, question in enumerate(record.questions)))
        self.records.put(record)

    async def _answered(self, thread: str) -> Answer:
        deadline = time.monotonic() + ANSWERED_WITHIN_S
        while time.monotonic() < deadline:
            if (answer := await self.store.read(_answer_in, thread)) is not None:
                return answer
            await asyncio.sleep(0.2)
        raise NightschoolError(
            f"The bot gave no answer within {ANSWERED_WITHIN_S / 60:.0f} minutes: see {self.settings.logs}, and start "
            "the same command again."
        )

    async def _review(self, page: Page, record: NightRecord) -> None:
        """Have the reviewer, who knows the right answers, decide on all that waits."""
        right = {one.thread: one.answer for one in self._asked_so_far(record)}
        if await self.store.read(_waiting):
            judged = {id_: judge(answer, right.get(thread, "")) for id_, thread, answer in await self.store.read(_all)}
            await page.review(judged.__getitem__)
        record.reviewed = True
        self.records.put(record)

    def _asked_so_far(self, record: NightRecord) -> list[Question]:
        earlier = [one for before in self.records.finished() for one in before.questions]
        return [*earlier, *record.questions]


def judge(said: str, answer: str) -> Judgement:
    """What a reviewer who knows the right answer decides; a question whose answer is not known is rejected."""
    if not answer:
        return Judgement(Verdict.REJECTED)
    found = Said(text=said, by="", scores=scores(said, answer, 0.0))
    return Judgement(Verdict.ACCEPTED) if said.strip() and found.right else Judgement(Verdict.CORRECTED, answer)


async def _likelihood(client: ModelClient, answer: Answer, right: str) -> float:
    """How likely the version found the right answer; not a number where it was not asked, or both are too long."""
    if not answer.messages:
        return math.nan
    try:
        return (await client.score(answer.adapter, answer.messages, right)).mean_logprob
    except BadInput:
        return math.nan


def _answer_in(session: Session, thread: str) -> Answer | None:
    """The answer to the question that opened a thread, once nothing more comes."""
    query = select(Answer).join(Ticket).where(Ticket.thread_ts == thread, Answer.question_ts == thread)
    answer = session.exec(query).first()
    return answer if answer is not None and answer.state in REVIEWABLE else None


def _waiting(session: Session) -> bool:
    open_ = select(Answer.id).where(Answer.review_state != ReviewState.SETTLED, col(Answer.state).in_(REVIEWABLE))
    return session.exec(open_).first() is not None


def _all(session: Session) -> list[tuple[int, str, str]]:
    """Number, thread and text of every answer."""
    rows = session.exec(select(Answer.id, Ticket.thread_ts, Answer.text).join(Ticket))
    return [(id_, thread, text) for id_, thread, text in rows if id_ is not None]


def _new(day: Day) -> NightRecord:
    questions = [
        Question(id=ticket.id or f"line {ticket.line}", question=ticket.question, answer=ticket.answer)
        for ticket in day.tickets
    ]
    return NightRecord(number=day.number, label=day.label, questions=questions)


def _left(spent: Sequence[float], nights_left: int) -> str:
    if not spent:
        return ""
    return f", about {max(1, round(sum(spent) / len(spent) * nights_left / 60))} minutes left"


def _plan(file: Path, options: Options, settings: Settings) -> Plan:
    return Plan(
        file_sha256=artifacts.sha256_of(file),
        mapping=options.mapping,
        tickets_per_night=options.tickets_per_night,
        promote_all=options.promote_all,
        documents=str(options.documents.resolve()) if options.documents else "",
        base_model=settings.base_model,
    )


def _facts(file: Path, options: Options, settings: Settings, found: Days) -> list[str]:
    """What a reader must know to judge the figures."""
    rule = "also what the gate held" if options.promote_all else "nothing but what the gate recommended"
    source = "the documents given" if options.documents else "the tickets answered on the days before"
    return [
        f"Tickets of `{file.name}`, at most {options.tickets_per_night} a day. Each question was asked in the local "
        "Slack workspace and scored as it was answered, before anyone had reviewed it; a reviewer who knows the right "
        "answers then accepted what was right and corrected the rest, and the night learnt.",
        "Right: every exact fact of the right answer is stated, or, where it has none, ROUGE-L is 50 or more.",
        f"Promoted was {rule}. Answers that reviewers approved were not served in the versions' place.",
        f"Base model: {settings.base_model}. With retrieval: the same model, with the three closest passages of "
        f"{source} in its prompt. Copied: the answer to the closest past question, word for word, without a model.",
        *found.notes,
    ]

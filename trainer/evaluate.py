"""The fourth stage of a night: candidate and champion answer the same held-out tickets through the vLLM that serves."""

import asyncio
import math
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow.parquet as pq
from sqlmodel import Session

from serving.client import ModelClient
from serving.fleet import Fleet
from store import adapters, datasets, evaluations, nights
from store.evaluations import KnownAnswer
from store.tables import Adapter, Evaluation, EvaluationItem
from store.words import Split, Stage
from trainer import register
from trainer.asking import Question, answers
from trainer.forgetting import after_forgetting, forgotten, general_likelihoods
from trainer.gate import Decision, Pair, decide
from trainer.scores import compare, right
from trainer.work import Work

SHOWN_EXAMPLES = 3
LESSONS_ASKED = 8


def evaluate(work: Work) -> Evaluation:
    """Compare tonight's version with production on the held-out tickets, once.

    Raises:
        ModelUnavailable: the model server went away; the stage is tried again.
        AdapterRejected: the version cannot be served.
    """
    with work.store.reading() as session:
        if (known := evaluations.of_night(session, work.night_id)) is not None:
            return known
        candidate = register.of_night(session, work.night_id)
        champion = adapters.answering(session)
    if candidate is None:
        raise LookupError(f"the night {work.night.key} has no version to evaluate")
    started = time.monotonic()
    questions = _questions(work)
    work.say(f"evaluate: {candidate.name} and {champion} answer {len(questions.held_out)} held-out tickets")
    return _store(work, asyncio.run(_both(work, candidate, champion, questions)), time.monotonic() - started)


@dataclass(frozen=True)
class _Questions:
    """What both are asked: tickets that neither learnt from, and the newest corrections that the candidate did."""

    held_out: list[Question]
    lessons: list[Question]
    earlier: set[int]
    """The tickets that earlier nights held out as well."""


def _questions(work: Work) -> _Questions:
    with work.store.reading() as session:
        dataset = datasets.of_night(session, work.night_id)
        if dataset is None or dataset.id is None:
            raise LookupError(f"the night {work.night.key} has no dataset")
        earlier = datasets.held_out_before(session, dataset.id)
    rows = pq.read_table(dataset.path).to_pylist()
    held_out = [row for row in rows if row["split"] == Split.HELD_OUT]
    most = work.settings.night.max_held_out
    chosen = random.Random(work.settings.training.seed).sample(held_out, min(len(held_out), most))
    corrected = [row for row in rows if row["split"] == Split.TRAIN and row["corrected"]]
    corrected.sort(key=lambda row: int(row["review_id"]))
    return _Questions(
        [_question(row) for row in sorted(chosen, key=lambda row: int(row["answer_id"]))],
        [_question(row) for row in corrected[-LESSONS_ASKED:]],
        earlier,
    )


def _question(row: dict[str, Any]) -> Question:
    return Question(row["ticket_id"], row["answer_id"], row["prompt"], row["completion"])


def conditions(work: Work) -> dict[str, object]:
    """What must be equal for an earlier answer of a version to be the answer it would give now."""
    return {"base_sha256": work.base.sha256, "max_tokens": work.settings.serving.max_tokens}


@dataclass(frozen=True)
class _Comparison:
    """Both answers to each question: the held-out ones first, then the lessons."""

    candidate: str
    champion: str
    questions: _Questions
    ours: list[KnownAnswer]
    theirs: list[KnownAnswer]
    general: list[tuple[float, float]]
    """How likely each finds the answer to each general question."""

    @property
    def pairs(self) -> list[Pair]:
        """The scores on the held-out tickets; what was learnt by heart proves nothing about them."""
        both = zip(self.ours, self.theirs, self.questions.held_out, strict=False)
        return [Pair(ours.scores, theirs.scores) for ours, theirs, _ in both]

    @property
    def earlier(self) -> list[Pair]:
        """The scores on those of them that earlier nights held out as well."""
        both = zip(self.pairs, self.questions.held_out, strict=True)
        return [pair for pair, question in both if question.ticket_id in self.questions.earlier]

    @property
    def lessons(self) -> dict[str, int]:
        """How many of the newest corrections each answers right."""
        first = len(self.questions.held_out)
        counts = {name: sum(right(answer.scores) for answer in given[first:]) for name, given in self._given()}
        return {"asked": len(self.questions.lessons), **counts}

    def _given(self) -> tuple[tuple[str, list[KnownAnswer]], ...]:
        return ("candidate", self.ours), ("champion", self.theirs)


async def _both(work: Work, candidate: Adapter, champion: str, questions: _Questions) -> _Comparison:
    fleet, client = Fleet(work.settings), ModelClient(work.settings)

    async def tell(model: str, answered: int, of: int) -> None:
        await asyncio.to_thread(work.note, Stage.EVALUATE, model=model, answered=answered, of=of)

    try:
        await fleet.load(candidate)
        with work.store.reading() as session:
            known = evaluations.known_answers(session, champion, conditions(work))
        everything = [*questions.held_out, *questions.lessons]
        theirs = await answers(client, champion, everything, known, tell)
        ours = await answers(client, candidate.name, everything, {}, tell)
        prompt = work.settings.system_prompt
        general = [await general_likelihoods(client, name, prompt) for name in (candidate.name, champion)]
    finally:
        await client.aclose()
        await fleet.aclose()
    return _Comparison(candidate.name, champion, questions, ours, theirs, list(zip(*general, strict=True)))


def _store(work: Work, comparison: _Comparison, seconds: float) -> Evaluation:
    settings = work.settings
    pairs = comparison.pairs
    seed = settings.training.seed
    lost = forgotten(comparison.earlier, comparison.general, settings.gate, seed)
    decision = decide(pairs, settings.gate, comparison.candidate, comparison.champion, seed)
    decision = after_forgetting(decision, lost, settings.gate)
    with work.writing() as session:
        evaluation = Evaluation(
            night_id=work.night_id,
            candidate=comparison.candidate,
            champion=comparison.champion,
            verdict=decision.verdict,
            summary=f"{decision.summary}{_lessons_in_words(comparison)}",
        )
        rows = evaluations.add(session, evaluation, lambda id_: _items(comparison, id_))
        evaluation.metrics = {
            **_metrics(work, decision, pairs, rows),
            "lessons": comparison.lessons,
            "cost": _cost(session, work, seconds),
        }
        nights.note(session, work.night_id, Stage.EVALUATE, {"verdict": decision.verdict.value})
    work.say(f"evaluate: {evaluation.summary}")
    return evaluation


def _lessons_in_words(comparison: _Comparison) -> str:
    lessons = comparison.lessons
    if not lessons["asked"]:
        return ""
    counts = f"{lessons['candidate']} of {lessons['asked']}, {comparison.champion} {lessons['champion']}"
    return f" Of the newest corrections that it learnt it answers {counts} right."


def _items(comparison: _Comparison, evaluation_id: int) -> list[EvaluationItem]:
    held_out = comparison.questions.held_out
    return [
        EvaluationItem(
            evaluation_id=evaluation_id,
            ticket_id=question.ticket_id,
            answer_id=question.answer_id,
            reference=question.reference,
            candidate_text=ours.text,
            champion_text=theirs.text,
            candidate_scores=_storable(ours.scores),
            champion_scores=_storable(theirs.scores),
        )
        for question, ours, theirs in zip(held_out, comparison.ours, comparison.theirs, strict=False)
    ]


def _metrics(work: Work, decision: Decision, pairs: Sequence[Pair], rows: Sequence[EvaluationItem]) -> dict[str, Any]:
    gains = sorted(
        ((compare(pair.candidate, pair.champion), row.id) for pair, row in zip(pairs, rows, strict=True)),
        key=lambda found: found[0],
    )
    return {
        "items": len(rows),
        "measures": [asdict(measure) for measure in decision.measures],
        "examples": {
            "better": [id_ for gain, id_ in reversed(gains) if gain > 0][:SHOWN_EXAMPLES],
            "worse": [id_ for gain, id_ in gains if gain < 0][:SHOWN_EXAMPLES],
        },
        "conditions": conditions(work),
    }


def _cost(session: Session, work: Work, seconds: float) -> dict[str, Any]:
    train = nights.stage(session, work.night_id, Stage.TRAIN)
    dataset = datasets.of_night(session, work.night_id)
    rows = dataset.manifest["rows"] if dataset is not None else {}
    return {
        "train_seconds": train.result.get("seconds") if train is not None else None,
        "evaluate_seconds": round(seconds, 1),
        "train_rows": rows.get(Split.TRAIN),
        "held_out_rows": rows.get(Split.HELD_OUT),
    }


def _storable(found: dict[str, float]) -> dict[str, float]:
    # JSON has no NaN; Postgres refuses it.
    return {name: value for name, value in found.items() if math.isfinite(value)}

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
from trainer.gate import Decision, Pair, decide
from trainer.scores import compare, scores
from trainer.work import Work

CONCURRENCY = 8
BEHIND_PEOPLE = 10
"""vLLM's priority of these requests: larger waits longer, so that people who ask at night come first."""
SHOWN_EXAMPLES = 3


@dataclass(frozen=True)
class Question:
    """A held-out ticket: what was asked, and the answer that a reviewer stands behind."""

    ticket_id: int
    answer_id: int
    messages: list[dict[str, str]]
    reference: str


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
        champion = adapters.production(session)
    if candidate is None:
        raise LookupError(f"the night {work.night.key} has no version to evaluate")
    started = time.monotonic()
    questions = _held_out(work)
    work.say(f"evaluate: {candidate.name} and {champion} answer {len(questions)} held-out tickets")
    ours, theirs = asyncio.run(_both(work, candidate, champion, questions))
    return _store(work, _Comparison(candidate.name, champion, questions, ours, theirs), time.monotonic() - started)


@dataclass(frozen=True)
class _Comparison:
    candidate: str
    champion: str
    questions: list[Question]
    ours: list[KnownAnswer]
    theirs: list[KnownAnswer]

    @property
    def pairs(self) -> list[Pair]:
        return [Pair(ours.scores, theirs.scores) for ours, theirs in zip(self.ours, self.theirs, strict=True)]


def _held_out(work: Work) -> list[Question]:
    with work.store.reading() as session:
        dataset = datasets.of_night(session, work.night_id)
    if dataset is None:
        raise LookupError(f"the night {work.night.key} has no dataset")
    rows = pq.read_table(dataset.path, filters=[("split", "=", Split.HELD_OUT.value)]).to_pylist()
    chosen = random.Random(work.settings.training.seed).sample(rows, min(len(rows), work.settings.night.max_held_out))
    return [
        Question(row["ticket_id"], row["answer_id"], row["prompt"], row["completion"])
        for row in sorted(chosen, key=lambda row: int(row["answer_id"]))
    ]


def conditions(work: Work) -> dict[str, object]:
    """What must be equal for an earlier answer of a version to be the answer it would give now."""
    return {"base_sha256": work.base.sha256, "max_tokens": work.settings.serving.max_tokens}


async def _both(
    work: Work, candidate: Adapter, champion: str, questions: Sequence[Question]
) -> tuple[list[KnownAnswer], list[KnownAnswer]]:
    fleet, client = Fleet(work.settings), ModelClient(work.settings)
    try:
        await fleet.load(candidate)
        with work.store.reading() as session:
            known = evaluations.known_answers(session, champion, conditions(work))
        theirs = await _answers(work, client, champion, questions, known)
        return await _answers(work, client, candidate.name, questions, {}), theirs
    finally:
        await client.aclose()
        await fleet.aclose()


async def _answers(
    work: Work, client: ModelClient, model: str, questions: Sequence[Question], known: dict[int, KnownAnswer]
) -> list[KnownAnswer]:
    """The answers of a model, in the order of the questions; those it gave in an earlier night are taken from there."""
    turns = asyncio.Semaphore(CONCURRENCY)
    done = 0

    async def one(question: Question) -> KnownAnswer:
        nonlocal done
        earlier = known.get(question.answer_id)
        if earlier is not None and earlier.reference == question.reference:
            answer = earlier
        else:
            async with turns:
                answer = await _answer(client, model, question)
        done += 1
        if done % CONCURRENCY == 0 or done == len(questions):
            await asyncio.to_thread(work.note, Stage.EVALUATE, model=model, answered=done, of=len(questions))
        return answer

    return await asyncio.gather(*map(one, questions))


async def _answer(client: ModelClient, model: str, question: Question) -> KnownAnswer:
    said = await client.complete(model, question.messages, temperature=0.0, priority=BEHIND_PEOPLE)
    likelihood = await client.score(model, question.messages, question.reference)
    return KnownAnswer(question.reference, said.text, scores(said.text, question.reference, likelihood.mean_logprob))


def _store(work: Work, comparison: _Comparison, seconds: float) -> Evaluation:
    settings = work.settings
    pairs = comparison.pairs
    decision = decide(pairs, settings.gate, comparison.candidate, comparison.champion, settings.training.seed)
    with work.writing() as session:
        evaluation = Evaluation(
            night_id=work.night_id,
            candidate=comparison.candidate,
            champion=comparison.champion,
            verdict=decision.verdict,
            summary=decision.summary,
        )
        rows = evaluations.add(session, evaluation, lambda id_: _items(comparison, id_))
        evaluation.metrics = _metrics(work, decision, pairs, rows) | {"cost": _cost(session, work, seconds)}
        nights.note(session, work.night_id, Stage.EVALUATE, {"verdict": decision.verdict.value})
    work.say(f"evaluate: {decision.summary}")
    return evaluation


def _items(comparison: _Comparison, evaluation_id: int) -> list[EvaluationItem]:
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
        for question, ours, theirs in zip(comparison.questions, comparison.ours, comparison.theirs, strict=True)
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

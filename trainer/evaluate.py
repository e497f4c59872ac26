"""The fourth stage of a night: candidate and champion answer the same held-out tickets through the vLLM that serves."""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import Session

from serving.client import ModelClient
from serving.fleet import Fleet
from store import adapters, datasets, evaluations, nights
from store.evaluations import KnownAnswer
from store.failpoints import failpoint
from store.tables import Adapter, Evaluation, EvaluationItem
from store.words import ItemKind, Split, Stage
from trainer import questions, register
from trainer.asking import answers
from trainer.forgetting import after_forgetting, forgotten, general_knowledge
from trainer.gate import Decision, Pair, decide
from trainer.probes import Findings, after_probes, also_slipped, probe
from trainer.questions import Questions
from trainer.regressions import Correction, Regressions, after_regressions, count
from trainer.scores import compare
from trainer.work import Work

SHOWN_EXAMPLES = 3


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
    asked = questions.of_night(work)
    work.say(f"evaluate: {candidate.name} and {champion} answer {len(asked.held_out)} held-out tickets")
    comparison = asyncio.run(_both(work, candidate, champion, asked))
    failpoint("evaluate.answered")
    evaluation = _store(work, comparison, time.monotonic() - started)
    failpoint("evaluate.stored")
    return evaluation


def conditions(work: Work) -> dict[str, object]:
    """What must be equal for an earlier answer of a version to be the answer it would give now."""
    return {"base_sha256": work.base.sha256, "max_tokens": work.settings.serving.max_tokens}


@dataclass(frozen=True)
class _Comparison:
    """Both answers to each question, in the order of the questions."""

    candidate: str
    champion: str
    questions: Questions
    ours: list[KnownAnswer]
    theirs: list[KnownAnswer]
    general: list[tuple[float, float]]
    """How clearly each knows the answer to each general question."""
    probed: Findings
    """What the candidate says that no version may."""

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
    def corrections(self) -> list[Correction]:
        """The scores on what reviewers have put right, held out or not."""
        given = enumerate(zip(self.questions.all, self.ours, self.theirs, strict=True))
        return [
            Correction(place, question.answer_id in self.questions.must, ours.scores, theirs.scores)
            for place, (question, ours, theirs) in given
            if question.answer_id in self.questions.corrected
        ]


async def _both(work: Work, candidate: Adapter, champion: str, asked: Questions) -> _Comparison:
    fleet, client = Fleet(work.settings), ModelClient(work.settings)

    async def tell(model: str, answered: int, of: int) -> None:
        await asyncio.to_thread(work.note, Stage.EVALUATE, model=model, answered=answered, of=of)

    try:
        await fleet.load(candidate)
        with work.store.reading() as session:
            known = evaluations.known_answers(session, champion, conditions(work))
        theirs = await answers(client, champion, asked.all, known, tell)
        ours = await answers(client, candidate.name, asked.all, {}, tell)
        prompt = work.settings.system_prompt
        general = [await general_knowledge(client, name, prompt) for name in (candidate.name, champion)]
        lessons, gate = questions.lessons_of(work), work.settings.gate
        probed = await probe(client, candidate.name, lessons, asked.held_out, gate)
        probed = also_slipped(
            probed, [(found.text, question) for found, question in zip(ours, asked.all, strict=True)], gate
        )
    finally:
        await client.aclose()
        await fleet.aclose()
    return _Comparison(candidate.name, champion, asked, ours, theirs, list(zip(*general, strict=True)), probed)


def _store(work: Work, comparison: _Comparison, seconds: float) -> Evaluation:
    settings = work.settings
    pairs = comparison.pairs
    lost = forgotten(comparison.earlier, comparison.general, settings.gate)
    decision = decide(pairs, settings.gate, comparison.candidate, comparison.champion)
    decision = after_forgetting(decision, lost, settings.gate)
    regressions = count(comparison.corrections)
    decision = after_regressions(decision, regressions, comparison.champion, settings.gate)
    decision = after_probes(decision, comparison.probed, comparison.candidate)
    with work.writing() as session:
        evaluation = Evaluation(
            night_id=work.night_id,
            candidate=comparison.candidate,
            champion=comparison.champion,
            verdict=decision.verdict,
            summary=decision.summary,
        )
        rows = evaluations.add(session, evaluation, lambda id_: _items(comparison, id_))
        evaluation.metrics = {
            **_metrics(decision, pairs, rows, regressions),
            "conditions": conditions(work),
            "cost": _cost(session, work, seconds),
        }
        nights.note(session, work.night_id, Stage.EVALUATE, {"verdict": decision.verdict.value})
    work.say(f"evaluate: {evaluation.summary}")
    return evaluation


def _items(comparison: _Comparison, evaluation_id: int) -> list[EvaluationItem]:
    held_out = len(comparison.questions.held_out)
    given = zip(comparison.questions.all, comparison.ours, comparison.theirs, strict=True)
    return [
        EvaluationItem(
            evaluation_id=evaluation_id,
            ticket_id=question.ticket_id,
            answer_id=question.answer_id,
            kind=ItemKind.HELD_OUT if place < held_out else ItemKind.CORRECTION,
            reference=question.reference,
            candidate_text=ours.text,
            champion_text=theirs.text,
            candidate_scores=_storable(ours.scores),
            champion_scores=_storable(theirs.scores),
        )
        for place, (question, ours, theirs) in enumerate(given)
    ]


def _metrics(
    decision: Decision, pairs: Sequence[Pair], rows: Sequence[EvaluationItem], regressions: Regressions
) -> dict[str, Any]:
    gains = sorted(
        ((compare(pair.candidate, pair.champion), row.id) for pair, row in zip(pairs, rows, strict=False)),
        key=lambda found: found[0],
    )
    corrections = asdict(regressions)
    for which in ("fixed", "broken", "must_broken"):
        corrections[which] = [rows[place].id for place in corrections[which]]
    return {
        "items": len(pairs),
        "measures": [asdict(measure) for measure in decision.measures],
        "detectable": decision.detectable,
        "corrections": corrections,
        "examples": {
            "better": [id_ for gain, id_ in reversed(gains) if gain > 0][:SHOWN_EXAMPLES],
            "worse": [id_ for gain, id_ in gains if gain < 0][:SHOWN_EXAMPLES],
            "broken": corrections["broken"][:SHOWN_EXAMPLES],
        },
    }


def _cost(session: Session, work: Work, seconds: float) -> dict[str, Any]:
    train = nights.stage(session, work.night_id, Stage.TRAIN)
    dataset = datasets.of_night(session, work.night_id)
    manifest = dataset.manifest if dataset is not None else {}
    rows = manifest.get("rows", {})
    return {
        "train_seconds": train.result.get("seconds") if train is not None else None,
        "evaluate_seconds": round(seconds, 1),
        "train_rows": rows.get(Split.TRAIN),
        "held_out_rows": rows.get(Split.HELD_OUT),
        "methods": manifest.get("methods", {}).get("reason", ""),
    }


def _storable(found: dict[str, float]) -> dict[str, float]:
    # JSON has no NaN; Postgres refuses it.
    return {name: value for name, value in found.items() if math.isfinite(value)}

"""What a version has lost: on tickets held out since earlier nights, and on what everybody knows.

Both are read off the likelihood of given answers, at one pass of the model each. The general questions
(`general.jsonl`) were written for this project. Each has a right answer and a wrong one in the same words but for the
matter, and what counts is how much more likely the right one is, as multiple-choice benchmarks ask (Gao et al.,
lm-evaluation-harness). So a house style, which makes any plain sentence less likely, is not taken for forgetting.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from serving.client import ModelClient
from store.prompt import question_messages
from store.settings import GateSettings
from store.words import GateVerdict
from trainer.asking import BEHIND_PEOPLE, CONCURRENCY
from trainer.gate import Decision, Measure, Pair, measured
from trainer.scores import LIKELIHOOD, NATS, NATS_OF_ALL, MeasureName

EARLIER = MeasureName("earlier", "The same on tickets of earlier nights", NATS)
GENERAL = MeasureName("general", "How clearly it tells what everybody knows from what is wrong", NATS_OF_ALL)


@dataclass(frozen=True)
class GeneralQuestion:
    """A question of general knowledge, its answer, and a wrong one in the same words but for the matter."""

    question: str
    answer: str
    wrong: str


@cache
def general_questions() -> tuple[GeneralQuestion, ...]:
    """The general questions."""
    lines = (Path(__file__).parent / "general.jsonl").read_text().splitlines()
    return tuple(GeneralQuestion(**json.loads(line)) for line in lines)


async def general_knowledge(client: ModelClient, model: str, system_prompt: str) -> list[float]:
    """For each general question by how much the right answer is more likely than the wrong one, in nats.

    Raises:
        ModelUnavailable: the model server went away.
    """
    turns = asyncio.Semaphore(CONCURRENCY)

    async def likelihood(question: str, answer: str) -> float:
        async with turns:
            found = await client.score(model, question_messages(system_prompt, question), answer, BEHIND_PEOPLE)
        return found.mean_logprob * found.tokens

    async def one(asked: GeneralQuestion) -> float:
        right, wrong = await asyncio.gather(*(likelihood(asked.question, text) for text in (asked.answer, asked.wrong)))
        return right - wrong

    return await asyncio.gather(*map(one, general_questions()))


def forgotten(earlier: Sequence[Pair], general: Sequence[tuple[float, float]], settings: GateSettings) -> list[Measure]:
    """How candidate and champion compare where a loss would be forgetting; left out where fewer than two items are.

    Args:
        earlier: the scores on held-out tickets that an earlier night held out as well.
        general: of each general question how much the right answer leads, for the candidate and for the champion.
        settings: level of the intervals.
    """
    known = [_renamed(pair.candidate[LIKELIHOOD], pair.champion[LIKELIHOOD], EARLIER) for pair in earlier]
    common = [_renamed(ours, theirs, GENERAL) for ours, theirs in general]
    found = [measured(EARLIER, known, settings), measured(GENERAL, common, settings)]
    return [measure for measure in found if measure is not None]


def after_forgetting(decision: Decision, lost: Sequence[Measure], settings: GateSettings) -> Decision:
    """The decision with these measures beside the others; to hold rather than to promote when too much is lost."""
    measures = (*decision.measures, *lost)
    sentence = _objection(lost, settings)
    if not sentence or decision.verdict is not GateVerdict.PROMOTE:
        return replace(decision, summary=f"{decision.summary} {sentence}".strip(), measures=measures)
    told = decision.summary.removeprefix("Promote: ")
    summary = f"Hold: {sentence[0].lower()}{sentence[1:]} Otherwise {told}"
    return replace(decision, verdict=GateVerdict.HOLD, summary=summary, measures=measures)


def _objection(measures: Sequence[Measure], settings: GateSettings) -> str:
    """Why a version has forgotten too much, in a sentence; empty when it has not."""
    limits = {EARLIER.name: settings.most_forgotten, GENERAL.name: settings.most_general_forgotten}
    for measure in measures:
        if measure.better is False and measure.difference < -limits[measure.name]:
            return f"It has forgotten: {_lost(measure)}, and {limits[measure.name]:g} {measure.unit} may be lost."
    return ""


def _lost(measure: Measure) -> str:
    if measure.name == GENERAL.name:
        lead = f"{measure.candidate:.1f} nats instead of {measure.champion:.1f}"
        return f"what everybody knows leads what is wrong by {lead}"
    return f"right answers about tickets of earlier nights have become less likely by {-measure.difference:.2f}"


def _renamed(candidate: float, champion: float, name: MeasureName) -> Pair:
    return Pair({name.name: candidate}, {name.name: champion})

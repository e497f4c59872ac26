"""What a version has lost: on tickets held out since earlier nights, and on what everybody knows.

Both are likelihoods of right answers, so that they cost one pass of the model each. The general questions
(`general.jsonl`) were written for this project: a pupil who can still say them has kept the language it came with.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from serving.client import ModelClient
from store.prompt import question_messages
from store.settings import GateSettings
from store.words import GateVerdict
from trainer.asking import BEHIND_PEOPLE, CONCURRENCY
from trainer.gate import Decision, Measure, Pair, measured
from trainer.scores import LIKELIHOOD, NATS, MeasureName

EARLIER = MeasureName("earlier", "The same on tickets of earlier nights", NATS)
GENERAL = MeasureName("general", "How likely it finds what everybody knows", NATS)


@cache
def general_questions() -> tuple[tuple[str, str], ...]:
    """The general questions, each with its answer."""
    lines = (Path(__file__).parent / "general.jsonl").read_text().splitlines()
    return tuple((row["question"], row["answer"]) for row in map(json.loads, lines))


async def general_likelihoods(client: ModelClient, model: str, system_prompt: str) -> list[float]:
    """Mean log-probability of a token of each general answer, in nats.

    Raises:
        ModelUnavailable: the model server went away.
    """
    turns = asyncio.Semaphore(CONCURRENCY)

    async def one(question: str, answer: str) -> float:
        async with turns:
            found = await client.score(model, question_messages(system_prompt, question), answer, BEHIND_PEOPLE)
        return found.mean_logprob

    return await asyncio.gather(*(one(question, answer) for question, answer in general_questions()))


def forgotten(earlier: Sequence[Pair], general: Sequence[tuple[float, float]], settings: GateSettings) -> list[Measure]:
    """How candidate and champion compare where a loss would be forgetting; left out where fewer than two items are.

    Args:
        earlier: the scores on held-out tickets that an earlier night held out as well.
        general: of each general question the likelihood under the candidate and under the champion.
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
    return Decision(GateVerdict.HOLD, f"Hold: {sentence[0].lower()}{sentence[1:]} Otherwise {told}", measures)


def _objection(measures: Sequence[Measure], settings: GateSettings) -> str:
    """Why a version has forgotten too much, in a sentence; empty when it has not."""
    limits = {EARLIER.name: settings.most_forgotten, GENERAL.name: settings.most_general_forgotten}
    for measure in measures:
        if measure.better is False and measure.difference < -limits[measure.name]:
            what = "tickets of earlier nights" if measure.name == EARLIER.name else "what everybody knows"
            return (
                f"It has forgotten: right answers about {what} have become less likely by {-measure.difference:.2f} "
                f"nats per token, and {limits[measure.name]:g} are allowed."
            )
    return ""


def _renamed(candidate: float, champion: float, name: MeasureName) -> Pair:
    return Pair({name.name: candidate}, {name.name: champion})

"""Asks every arm every question, and scores what it says; what it took is measured by one asker at a time."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import mean, median

from serving.client import ModelClient
from store.settings import CompareSettings, Settings
from trainer.asking import BEHIND_PEOPLE
from trainer.compare.arms import Arm
from trainer.scores import CHRF, FACTS, right, scores

CONCURRENCY = 8
TIMED = 12
"""Questions that are asked one after the other, for the times that one asker waits."""
PAIRS_COMPARED = 200
MILLION = 1_000_000


@dataclass(frozen=True)
class Asked:
    """A held-out question and the answer that a reviewer stands behind."""

    question: str
    reference: str


@dataclass(frozen=True)
class Given:
    """What an arm answered, its scores, and how many tokens it read and wrote."""

    text: str
    scores: dict[str, float]
    prompt_tokens: int
    completion_tokens: int

    @property
    def right(self) -> float:
        """100 where it states every exact fact, or much of the wording where there are none; else 0."""
        return 100.0 * right(self.scores)


@dataclass(frozen=True)
class Result:
    """An arm's answers, in the order of the questions, and the milliseconds that one asker waited."""

    arm: str
    given: Sequence[Given]
    first_token_ms: float
    whole_ms: float

    def mean(self, name: str) -> float | None:
        """The mean of a score over the answers that have it."""
        values = [one.scores[name] for one in self.given if name in one.scores]
        return mean(values) if values else None

    @property
    def right(self) -> float:
        """The share of right answers, in percent."""
        return mean(one.right for one in self.given)

    def interval(self, confidence: float) -> tuple[float, float]:
        """Wilson's interval of `right`, in percent."""
        from scipy.stats import binomtest

        number = len(self.given)
        found = binomtest(round(self.right * number / 100), number).proportion_ci(confidence, "wilson")
        return 100 * float(found.low), 100 * float(found.high)

    @property
    def prompt_tokens(self) -> float:
        """The mean length of what it is told."""
        return mean(one.prompt_tokens for one in self.given)

    def cost(self, prices: CompareSettings) -> float:
        """The price of a thousand answers."""
        written = mean(one.completion_tokens for one in self.given)
        return 1000 * (self.prompt_tokens * prices.prompt_price + written * prices.completion_price) / MILLION

    def consistency(self, asked: Sequence[Asked]) -> float | None:
        """How alike it answers questions that have the same right answer (chrF, 0 to 100); None without such."""
        from sacrebleu import sentence_chrf

        alike: defaultdict[str, list[str]] = defaultdict(list)
        for question, given in zip(asked, self.given, strict=True):
            alike[question.reference].append(given.text)
        pairs = [pair for texts in alike.values() for pair in combinations(texts, 2)][:PAIRS_COMPARED]
        return mean(sentence_chrf(one, [other]).score for one, other in pairs) if pairs else None


async def measure(
    settings: Settings, arms: Sequence[Arm], asked: Sequence[Asked], say: Callable[[str], None]
) -> list[Result]:
    """Ask all arms; the live bot's questions go first.

    Raises:
        ModelUnavailable: the model server went away.
        NotFound: it does not hold a version.
    """
    client = ModelClient(settings)
    try:
        return [await _measure(client, arm, asked, say) for arm in arms]
    finally:
        await client.aclose()


async def _measure(client: ModelClient, arm: Arm, asked: Sequence[Asked], say: Callable[[str], None]) -> Result:
    turns, times = asyncio.Semaphore(CONCURRENCY), []

    async def one(question: Asked) -> Given:
        said = await client.complete(arm.model, arm.prompt(question.question), temperature=0.0, priority=BEHIND_PEOPLE)
        times.append((said.first_token_ms or said.latency_ms, said.latency_ms))
        found = scores(said.text, question.reference, math.nan)
        return Given(said.text, found, said.prompt_tokens, said.completion_tokens)

    async def in_turn(question: Asked) -> Given:
        async with turns:
            return await one(question)

    alone = [await one(question) for question in asked[:TIMED]]
    first, whole = (median(each) for each in zip(*times[: len(alone)], strict=True))
    given = [*alone, *await asyncio.gather(*map(in_turn, asked[TIMED:]))]
    result = Result(arm.name, given, first, whole)
    facts, wording = result.mean(FACTS), result.mean(CHRF)
    told = f", {facts:.0f} % of the exact facts" if facts is not None else ""
    say(f"{arm.name}: {result.right:.0f} % right{told}, chrF {wording:.0f}, {result.prompt_tokens:.0f} prompt tokens")
    return result

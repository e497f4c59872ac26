"""What the bot adds to vLLM: time to first visible text alone, and answers a second with 16 askers at once.

Raw vLLM is asked over the same Unix socket with the messages that the bot sends, the same model and the same limit.
The two take turns; medians are compared. The bot's figure runs from just before the question is posted in the page to
the moment when the page receives text, so it holds the local workspace and both of its connections too.
"""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2

from bench.product import Product, asker, running_product
from serving.access import api_key, connect
from store.prompt import question_messages
from store.settings import Settings
from store.tables import BASE

TITLE = "What the bot adds to vLLM"
AT_ONCE = 16
MAX_TOKENS = 64
TOPICS = ("telescopes", "refunds", "parcels", "invoices", "passwords", "warranties", "rentals", "eyepieces")
WAYS = (
    "What do we tell a customer about {}?",
    "How do {} work for us?",
    "Who in the team looks after {}?",
    "Explain {}.",
)
ROUNDS = 7


@dataclass
class Figures:
    """Seconds measured for one of the two peers."""

    first_text: list[float] = field(default_factory=list)
    batch: list[float] = field(default_factory=list)


def table(quick: bool) -> str:
    """Measure both peers in turn; a Markdown table with their ratio."""
    with running_product(SERVING__MAX_TOKENS=str(MAX_TOKENS)) as product:
        bot, raw = asyncio.run(_measure(product, alone=8 if quick else 24, rounds=1 if quick else ROUNDS))
    added = 1000 * (statistics.median(bot.first_text) - statistics.median(raw.first_text))
    bot_rate, raw_rate = (AT_ONCE / statistics.median(figures.batch) for figures in (bot, raw))
    return "\n".join(
        [
            "| | vLLM alone | through the bot | |",
            "|---|---|---|---|",
            f"| time to first text, one asker, median of {len(raw.first_text)} | "
            f"{1000 * statistics.median(raw.first_text):.0f} ms | {1000 * statistics.median(bot.first_text):.0f} ms | "
            f"the bot adds {added:.0f} ms |",
            f"| answers a second, {AT_ONCE} askers, {MAX_TOKENS} tokens each, median of {len(raw.batch)} | "
            f"{raw_rate:.2f} | {bot_rate:.2f} | the bot keeps {100 * bot_rate / raw_rate:.0f} % |",
        ]
    )


async def _measure(product: Product, alone: int, rounds: int) -> tuple[Figures, Figures]:
    bot, raw = Figures(), Figures()
    questions = _questions()
    async with asker(product.page) as person, _raw_vllm(product) as vllm:
        for _ in range(2):
            await person.ask(next(questions))
            await _ask_raw(vllm, next(questions))
        for _ in range(alone):
            raw.first_text.append((await _ask_raw(vllm, next(questions)))[0])
            bot.first_text.append((await person.ask(next(questions)))[0])
        for _ in range(rounds):
            batch = [next(questions) for _ in range(AT_ONCE)]
            raw.batch.append(await _seconds(*(_ask_raw(vllm, question) for question in batch)))
            bot.batch.append(await _seconds(*(person.ask(question) for question in batch)))
    return bot, raw


def _questions() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        way, topic = WAYS[number % len(WAYS)], TOPICS[number % len(TOPICS)]
        yield f"{way.format(topic)} Case {number}."


async def _seconds(*asked: Awaitable[tuple[float, float]]) -> float:
    started = time.perf_counter()
    await asyncio.gather(*asked)
    return time.perf_counter() - started


@asynccontextmanager
async def _raw_vllm(product: Product) -> AsyncIterator[httpx2.AsyncClient]:
    settings = Settings(home=product.home)
    async with connect(settings.replica_urls[0], api_key(settings)) as client:
        yield client


async def _ask_raw(vllm: httpx2.AsyncClient, question: str) -> tuple[float, float]:
    body = {
        "model": BASE,
        "messages": question_messages(Settings().system_prompt, question),
        "max_tokens": MAX_TOKENS,
        "temperature": 0.0,
        "stream": True,
    }
    started = time.perf_counter()
    first = 0.0
    async with vllm.stream("POST", "/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if not first and line.startswith("data: {") and _has_text(line):
                first = time.perf_counter() - started
    return first, time.perf_counter() - started


def _has_text(line: str) -> bool:
    choices = json.loads(line[6:])["choices"]
    return bool(choices and choices[0]["delta"].get("content"))

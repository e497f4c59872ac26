"""Fourteen nights of one shop: what is known after each, from the base model, onward with replay, and without.

The tickets of shop_support arrive on the night that each names; two topics first appear on night 8, a third on night
10. After every night's import a night of the product runs and its version is promoted; then it answers held-out
questions of every topic. A way that was measured is kept in a file and not measured again until that is removed.
"""

import asyncio
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.engine import running_engine
from bench.product import ROOT
from serving import rollout
from serving.client import ModelClient
from serving.fleet import Fleet
from store import adapters, artifacts
from store.chart_style import as_png, new_figure, write_title
from store.import_tickets import import_tickets
from store.prompt import question_messages
from store.session import Store
from store.settings import NightSettings, ServingSettings, Settings, TrainingSettings
from store.tables import BASE
from trainer.night import run_night
from trainer.scores import CHRF, FACTS, LIKELIHOOD, scores

TITLE = "Fourteen nights: what stays and what is added"
DATA = ROOT.parent / "shared" / "data" / "shop_support"
KEPT = ROOT / ".nightschool" / "school_nights.json"
CHART = ROOT / "docs" / "images" / "school-nights.png"
NIGHTS = 14
NEW_TOPICS = {"newsletter_subscription": 8, "switch_account": 8, "check_cancellation_fee": 10}
SHARE = 0.3
"""Part of a topic's tickets of a night that is read, from its second night on; on its first, all of them."""
QUESTIONS_A_TOPIC = 2
MAX_TOKENS = 160
CONCURRENCY = 16

Json = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """A way of going through the nights; `nights` are those on which it trains on what has come until then."""

    name: str
    training: TrainingSettings
    nights: tuple[int, ...] = tuple(range(1, NIGHTS + 1))


WAYS = (
    Way("onward with replay", TrainingSettings(start="onward", epochs=2)),
    Way("onward without replay", TrainingSettings(start="onward", epochs=2, replay_share=0, onward_learning_rate=1)),
    Way("from the base", TrainingSettings(start="base", epochs=1), (7, 8, 14)),
)


@dataclass
class Shop:
    """The tickets by night and the held-out questions by topic."""

    tickets: dict[int, list[Json]] = field(default_factory=lambda: defaultdict(list))
    questions: list[Json] = field(default_factory=list)

    @classmethod
    def read(cls) -> "Shop":
        """Read the part of the set that is used; the same part every time."""
        shop = cls()
        seen: Counter[tuple[int, str]] = Counter()
        first: dict[str, int] = {}
        for row in _rows(DATA / "train.jsonl"):
            night, topic = int(row["night"]), str(row["intent"])
            first[topic] = min(night, first.get(topic, night))
        for row in _rows(DATA / "train.jsonl"):
            night, topic = int(row["night"]), str(row["intent"])
            place = seen[night, topic]
            seen[night, topic] += 1
            if night == first[topic] or int(place * SHARE) != int((place + 1) * SHARE):
                shop.tickets[night].append(row)
        asked: Counter[str] = Counter()
        for row in _rows(DATA / "dev.jsonl"):
            if asked[row["intent"]] < QUESTIONS_A_TOPIC:
                asked[row["intent"]] += 1
                shop.questions.append(row)
        return shop


def table(quick: bool) -> str:
    """Live the nights in each way that is not kept yet; a Markdown table, and a chart beside it."""
    if not DATA.exists():
        return f"Skipped: the public customer-support set is not at {DATA}."
    shop = Shop.read()
    kept: dict[str, list[Json]] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for way in WAYS[:1] if quick else WAYS:
        if way.name not in kept:
            kept[way.name] = _live(way, shop)
            artifacts.write_json(KEPT, kept)
    _draw(kept)
    return _markdown(kept, shop)


def _live(way: Way, shop: Shop) -> list[Json]:
    night = NightSettings(held_out_share=0.02, max_held_out=2)
    measured: list[Json] = []
    with running_engine(ServingSettings(max_tokens=MAX_TOKENS), way.training, night) as settings:
        store = Store.of(settings)
        store.migrate()
        if 1 in way.nights:
            measured.append({"night": 0, **asyncio.run(_measure(settings, BASE, shop.questions))})
        for number in range(1, NIGHTS + 1):
            _import(store, settings, shop.tickets[number], number)
            if number in way.nights:
                started = time.monotonic()
                run_night(settings, store, requested_by="benchmark", say=_say)
                seconds = time.monotonic() - started
                name = asyncio.run(_promote(settings, store))
                found = asyncio.run(_measure(settings, name, shop.questions))
                measured.append({"night": number, "seconds": round(seconds), **found})
                _say(f"{way.name}, night {number}: {found['facts']['all']:.0f} % of the facts, {seconds:.0f} s")
        store.close()
    return measured


def _import(store: Store, settings: Settings, tickets: Sequence[Json], night: int) -> None:
    file = settings.home / f"night-{night}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in tickets))
    import_tickets(store, settings, file, {"answer": "policy_answer"})


async def _promote(settings: Settings, store: Store) -> str:
    fleet = Fleet(settings)
    try:
        with store.reading() as session:
            name = adapters.versions(session)[0].name
        await rollout.promote(store, fleet, name, "benchmark")
    finally:
        await fleet.aclose()
    return name


async def _measure(settings: Settings, model: str, questions: Sequence[Json]) -> Json:
    """Facts and loss by group of topics."""
    client, turns = ModelClient(settings), asyncio.Semaphore(CONCURRENCY)

    async def one(row: Json) -> tuple[str, dict[str, float]]:
        messages = question_messages(settings.system_prompt, row["question"])
        async with turns:
            said = await client.complete(model, messages, temperature=0.0)
            likelihood = await client.score(model, messages, row["policy_answer"])
        return _group(row["intent"]), scores(said.text, row["policy_answer"], likelihood.mean_logprob)

    try:
        found = await asyncio.gather(*map(one, questions))
    finally:
        await client.aclose()
    groups = ["all", *dict.fromkeys(group for group, _ in found)]
    members = {name: [each for group, each in found if name in ("all", group)] for name in groups}
    return {
        "facts": {name: _mean(each[FACTS] for each in given if FACTS in each) for name, given in members.items()},
        "loss": {name: _mean(-each[LIKELIHOOD] for each in given) for name, given in members.items()},
        "closeness": {name: _mean(each[CHRF] for each in given) for name, given in members.items()},
        "items": [each for _, each in found],
    }


def _group(topic: str) -> str:
    return f"night {NEW_TOPICS[topic]}" if topic in NEW_TOPICS else "first"


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if found else None


def _markdown(kept: dict[str, list[Json]], shop: Shop) -> str:
    read = sum(len(tickets) for tickets in shop.tickets.values())
    topics = {row["intent"] for row in shop.questions}
    words = (
        f"{read} tickets over {NIGHTS} nights: all of a topic's on its first night, {100 * SHARE:.0f} % from then on. "
        f"{len(shop.questions)} held-out questions on {len(topics)} topics. Each cell: response loss in nats a token, "
        "then closeness of wording (chrF). *First*: the topics of night 1; *night 8*: the two that come then."
    )
    head = [f"{name}: {group}" for name in kept for group in ("first", "night 8")]
    lines = ["| night | " + " | ".join(head) + " |", "|---|" + "---|" * len(head)]
    for number in range(NIGHTS + 1):
        cells = [_cell(found, number, group) for found in kept.values() for group in ("first", "night 8")]
        lines.append(f"| {number or 'base model'} | " + " | ".join(cells) + " |")
    picture = f"![Held-out quality after each night]({CHART.relative_to(ROOT / 'docs')})"
    return "\n\n".join([words, "\n".join(lines), "\n".join(_kept_in_words(kept)), picture])


def _cell(found: Sequence[Json], number: int, group: str) -> str:
    for each in found:
        if each["night"] == number:
            return f"{each['loss'][group]:.3f}, {each['closeness'][group]:.0f}"
    return ""


def _kept_in_words(kept: dict[str, list[Json]]) -> Iterator[str]:
    for name, found in kept.items():
        before = next((each for each in found if each["night"] == 7), None)
        after = [each for each in found if each["night"] > 7]
        if before is None or not after:
            continue
        old = before["closeness"]["first"]
        lost = [100 * (old - each["closeness"]["first"]) / old for each in after]
        minutes = sum(each.get("seconds", 0) for each in found) / 60
        yield (
            f"- *{name}*: of the closeness that the topics of night 1 had after night 7, {_change(max(lost))} at the "
            f"worst later night and {_change(lost[-1])} at the end; {minutes:.0f} minutes for "
            f"{sum(each['night'] > 0 for each in found)} nights."
        )


def _change(lost: float) -> str:
    return f"{lost:.1f} % was lost" if lost > 0 else f"{-lost:.1f} % was added"


def _draw(kept: dict[str, list[Json]]) -> None:
    figure = new_figure(4.2)
    axes = figure.add_axes((0.1, 0.14, 0.86, 0.62))
    colours = {"onward with replay": "#00875a", "onward without replay": "#c9372c", "from the base": "#1d5fbf"}
    for name, found in kept.items():
        nights = [each["night"] for each in found]
        style = "o" if len(found) < NIGHTS else "-"
        for group, dash in (("first", style), ("night 8", style if style == "o" else "--")):
            values = [each["closeness"][group] for each in found]
            filled = "none" if group != "first" else colours[name]
            label = f"{name}, topics of {_since(group)}"
            axes.plot(nights, values, dash, color=colours[name], markerfacecolor=filled, label=label)
    axes.axvline(7.5, color="#999999", linewidth=0.8)
    axes.set_xlabel("night")
    axes.set_ylabel("closeness of wording (chrF)")
    axes.set_ylim(0, 100)
    axes.legend(fontsize=7, loc="lower right", ncols=2, frameon=False)
    write_title(figure, "What is known after each night", "held-out questions; the line marks where new topics arrive")
    artifacts.write_bytes(CHART, as_png(figure))


def _since(group: str) -> str:
    return "night 1" if group == "first" else group


def _rows(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

"""What one night teaches: base against adapter on held-out questions of a shop's customers.

As a person would: `nightschool import ../shared/data/shop_support/train.jsonl --map answer=policy_answer`, then one
night; then both answer dev.jsonl, whose questions are no near copies of any that were trained on, through vLLM.
Intervals are Student's over the paired differences, as in the gate.
"""

import asyncio
import json
import sys
import time

from bench.engine import running_engine
from bench.product import ROOT
from serving.client import ModelClient
from serving.fleet import Fleet
from store import adapters
from store.import_tickets import import_tickets
from store.prompt import question_messages
from store.session import Store
from store.settings import NightSettings, ServingSettings, Settings, TrainingSettings
from store.tables import BASE, Adapter
from trainer.gate import Measure, Pair, decide
from trainer.night import run_night
from trainer.scores import scores

TITLE = "What one night teaches: shop_support, base against adapter"
DATA = ROOT.parent / "shared" / "data" / "shop_support"
EPOCHS = 0.35
"""Part of the tickets that the night reads: 27 fixed answers are learnt long before all 2,400 rows were seen."""
MAX_TOKENS = 160
CONCURRENCY = 16
QUICK_QUESTIONS = 60


def table(quick: bool) -> str:
    """Import, run a night, answer dev.jsonl with both; a Markdown table."""
    if not DATA.exists():
        return f"Skipped: the public customer-support set is not at {DATA}."
    training, night = TrainingSettings(epochs=EPOCHS), NightSettings(max_held_out=20)
    with running_engine(ServingSettings(max_tokens=MAX_TOKENS), training, night) as settings:
        store = Store.of(settings)
        store.migrate()
        report = import_tickets(store, settings, DATA / "train.jsonl", {"answer": "policy_answer"})
        started = time.monotonic()
        run_night(settings, store, requested_by="benchmark", say=_say)
        seconds = time.monotonic() - started
        with store.reading() as session:
            adapter = adapters.versions(session)[0]
        questions = [json.loads(line) for line in (DATA / "dev.jsonl").read_text().splitlines()]
        pairs = asyncio.run(_pairs(settings, adapter, questions[:QUICK_QUESTIONS] if quick else questions))
        store.close()
    measures = decide(pairs, settings.gate, adapter.name, BASE).measures
    words = f"{report.added} tickets imported; the night took {seconds / 60:.1f} minutes ({EPOCHS:g} of an epoch). "
    words += f"{len(pairs)} held-out questions, {100 * settings.gate.confidence:.0f} % intervals."
    return f"{words}\n\n{_rows(measures)}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def _pairs(settings: Settings, adapter: Adapter, questions: list[dict[str, str]]) -> list[Pair]:
    client, fleet = ModelClient(settings), Fleet(settings)
    turns = asyncio.Semaphore(CONCURRENCY)

    async def one(model: str, row: dict[str, str]) -> dict[str, float]:
        messages = question_messages(settings.system_prompt, row["question"])
        async with turns:
            said = await client.complete(model, messages, temperature=0.0)
            likelihood = await client.score(model, messages, row["policy_answer"])
        return scores(said.text, row["policy_answer"], likelihood.mean_logprob)

    try:
        await fleet.load(adapter)
        theirs = await asyncio.gather(*(one(BASE, row) for row in questions))
        ours = await asyncio.gather(*(one(adapter.name, row) for row in questions))
    finally:
        await client.aclose()
        await fleet.aclose()
    return [Pair(candidate, champion) for candidate, champion in zip(ours, theirs, strict=True)]


def _rows(measures: tuple[Measure, ...]) -> str:
    lines = ["| measure | base | adapter | difference | 95 % interval |", "|---|---|---|---|---|"]
    for measure in measures:
        sign, label = 1.0, f"{measure.label}, {measure.unit}"
        if measure.name == "likelihood":
            # The loss is the likelihood's negative: smaller is better.
            sign, label = -1.0, "response loss, nats per token (smaller is better)"
        low, high = sorted((sign * measure.low, sign * measure.high))
        base, adapter = sign * measure.champion, sign * measure.candidate
        interval = f"{sign * measure.difference:+.3f} | {low:+.3f} to {high:+.3f}"
        lines.append(f"| {label} | {base:.3f} | {adapter:.3f} | {interval} |")
    return "\n".join(lines)

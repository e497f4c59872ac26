"""Do preferences pay? A bot answers, a reviewer who knows the policies corrects it, and the night learns in two ways.

All of it is the product's own: the first night teaches a bot from some past tickets, which then answers other
questions. Where it is wrong, the correction and what it said make a pair. The next night is lived twice from there:
with the supervised stage alone, and with DPO after it. Both then answer held-out questions.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.engine import running_engine
from serving.client import ModelClient
from store import adapters
from store.prompt import question_messages
from store.session import Store
from store.settings import NightSettings, ServingSettings, Settings, TrainingSettings
from store.tables import now
from store.words import Verdict
from tests.trainer.tickets import add_reviewed
from trainer.gate import Measure, Pair, measured
from trainer.night import run_night
from trainer.scores import MEASURES, MeasureName, right, scores

TITLE = "Preferences: SFT alone and SFT followed by DPO"

DATA = Path(__file__).parents[2] / "shared" / "data" / "shop_support"
PAST_A_TOPIC, ASKED_A_TOPIC, DEV_A_TOPIC = 5, 5, 4
MAX_TOKENS = 160
CONCURRENCY = 16
TOLD_APART = MeasureName("told_apart", "Held-out corrections preferred to what was corrected", "%")

Json = dict[str, Any]
Scores = dict[str, float]


def table(quick: bool) -> str:
    """Live the nights; a Markdown table with paired intervals."""
    if not DATA.exists():
        return f"Skipped: the public customer-support set is not at {DATA}."
    share = 2 if quick else 1
    past, asked = _by_topic("train.jsonl", PAST_A_TOPIC // share, ASKED_A_TOPIC // share)
    (questions,) = _by_topic("dev.jsonl", DEV_A_TOPIC // share)
    training = TrainingSettings(epochs=1.0, correction_weight=2, start="base")
    serving = ServingSettings(max_tokens=MAX_TOKENS)
    with running_engine(serving, training, NightSettings(held_out_share=0.02, max_held_out=2)) as settings:
        store = Store.of(settings)
        store.migrate()
        with store.writing() as session:
            for number, row in enumerate(past):
                add_reviewed(session, row["question"], row["policy_answer"], reviewed_at=_decided(number))
        first = _night(settings, store, "off")
        corrected = asyncio.run(_reviewed(settings, store, first, asked))
        theirs = asyncio.run(_answered(settings, first, questions))
        wrong = {place: text for place, (text, found) in enumerate(theirs) if not right(found)}
        found = {}
        for preference in ("off", "auto"):
            name = _night(settings, store, preference)
            found[preference] = asyncio.run(_measured(settings, name, questions, wrong))
        store.close()
    words = (
        f"The bot of the first night learnt {len(past)} tickets, and was wrong on {corrected} of {len(asked)} others, "
        f"which were corrected (so many pairs). {len(questions)} held-out questions, of which it gets {len(wrong)} "
        f"wrong; {100 * settings.gate.confidence:.0f} % intervals or wider, paired by question."
    )
    return f"{words}\n\n{_rows(found['off'], found['auto'], settings)}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _by_topic(file: str, *counts: int) -> list[list[Json]]:
    """So many rows of each topic, then so many others, …, in the order of the file."""
    parts: list[list[Json]] = [[] for _ in counts]
    seen: Counter[str] = Counter()
    limits = [sum(counts[: place + 1]) for place in range(len(counts))]
    for row in map(json.loads, (DATA / file).read_text().splitlines()):
        place = next((place for place, limit in enumerate(limits) if seen[row["intent"]] < limit), None)
        seen[row["intent"]] += 1
        if place is not None:
            parts[place].append(row)
    return parts


def _night(settings: Settings, store: Store, preference: str) -> str:
    """Run a night and load what it made; the version's name."""
    training = settings.training.model_copy(update={"preference": preference})
    night = run_night(settings.model_copy(update={"training": training}), store, requested_by="benchmark", say=_say)
    with store.reading() as session:
        name = adapters.versions(session)[0].name
    _say(f"{preference}: {night.outcome}")
    return name


async def _reviewed(settings: Settings, store: Store, model: str, rows: Sequence[Json]) -> int:
    """Have the bot answer, and a reviewer accept what is right and correct what is not; how many were corrected."""
    given = await _answered(settings, model, rows)
    corrected = 0
    with store.writing() as session:
        for number, (row, (text, found)) in enumerate(zip(rows, given, strict=True)):
            at = _decided(number)
            if right(found):
                add_reviewed(session, row["question"], text, verdict=Verdict.ACCEPTED, reviewed_at=at)
            else:
                corrected += 1
                add_reviewed(session, row["question"], text, correction=row["policy_answer"], reviewed_at=at)
    return corrected


def _decided(number: int) -> datetime:
    """When a reviewer decided: at a pace at which people read, or the night would wait for a second reviewer."""
    return now() - timedelta(days=60) + timedelta(minutes=10 * number)


async def _answered(settings: Settings, model: str, rows: Sequence[Json]) -> list[tuple[str, Scores]]:
    client, turns = ModelClient(settings), asyncio.Semaphore(CONCURRENCY)

    async def one(row: Json) -> tuple[str, Scores]:
        messages = question_messages(settings.system_prompt, row["question"])
        async with turns:
            said = await client.complete(model, messages, temperature=0.0)
            likelihood = await client.score(model, messages, row["policy_answer"])
        return said.text, scores(said.text, row["policy_answer"], likelihood.mean_logprob)

    try:
        return list(await asyncio.gather(*map(one, rows)))
    finally:
        await client.aclose()


async def _measured(settings: Settings, model: str, rows: Sequence[Json], wrong: dict[int, str]) -> list[Scores]:
    """Every measure of each question; whether the right answer is likelier than the wrong one, where there was one."""
    client, turns = ModelClient(settings), asyncio.Semaphore(CONCURRENCY)

    async def likelihood(place: int, text: str) -> float:
        async with turns:
            messages = question_messages(settings.system_prompt, rows[place]["question"])
            return (await client.score(model, messages, text)).mean_logprob

    found = [each for _, each in await _answered(settings, model, rows)]
    try:
        rejected = await asyncio.gather(*(likelihood(place, text) for place, text in wrong.items()))
    finally:
        await client.aclose()
    for place, theirs in zip(wrong, rejected, strict=True):
        found[place][TOLD_APART.name] = 100.0 * (found[place]["likelihood"] > theirs)
    return found


def _rows(alone: Sequence[Scores], both: Sequence[Scores], settings: Settings) -> str:
    pairs = [Pair(candidate, champion) for candidate, champion in zip(both, alone, strict=True)]
    lines = ["| measure | SFT alone | SFT, then DPO | difference | interval |", "|---|---|---|---|---|"]
    for name in (TOLD_APART, *MEASURES):
        found = measured(name, pairs, settings.gate)
        if found is not None:
            lines.append(_line(found))
    return "\n".join(lines)


def _line(found: Measure) -> str:
    interval = f"{found.difference:+.3f} | {found.low:+.3f} to {found.high:+.3f}"
    return f"| {found.label}, {found.unit} | {found.champion:.3f} | {found.candidate:.3f} | {interval} |"

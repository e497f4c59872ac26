"""Do preferences and thumbs pay? A bot answers, people vote, a reviewer who knows the policies corrects some of it.

All of it is the product's own: the first night teaches a bot from some past tickets, which then answers other
questions. Of one part, which a reviewer decides on, a correction and what it corrects make a pair. On another part
there are votes alone, by people who are right as often as `VOTERS` says; they have earned their trust by voting on the
reviewed part first. The next night is lived three times from there: with the supervised stage alone, with DPO after
it, and with KTO after it. All then answer held-out questions.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from bench.engine import running_engine
from serving.client import ModelClient
from store import adapters, datasets
from store.prompt import question_messages
from store.session import Store
from store.settings import NightSettings, ServingSettings, Settings, TrainingSettings
from store.tables import Answer, now
from store.words import Verdict, VoteValue
from tests.trainer.tickets import add_reviewed, add_unreviewed, cast
from trainer.gate import Measure, Pair, measured
from trainer.night import run_night
from trainer.scores import MEASURES, MeasureName, right, scores

TITLE = "Preferences and thumbs: SFT alone, followed by DPO, and followed by KTO"

DATA = Path(__file__).parents[2] / "shared" / "data" / "shop_support"
PAST_A_TOPIC, ASKED_A_TOPIC, VOTED_A_TOPIC, DEV_A_TOPIC = 5, 5, 10, 4
MAX_TOKENS = 160
CONCURRENCY = 16
VOTERS = {"U0VOTER0001": 0.95, "U0VOTER0002": 0.8, "U0VOTER0003": 0.55}
"""How often each is right."""
METHODS = {
    "SFT alone": {"preference": "off"},
    "SFT, then DPO": {"preference": "auto"},
    "SFT, then KTO": {"preference": "off", "thumbs": "auto"},
}
TOLD_APART = MeasureName("told_apart", "Held-out corrections preferred to what was corrected", "%")

Json = dict[str, Any]
Scores = dict[str, float]


def table(quick: bool) -> str:
    """Live the nights; a Markdown table with paired intervals."""
    if not DATA.exists():
        return f"Skipped: the public customer-support set is not at {DATA}."
    share = 2 if quick else 1
    counts = [count // share for count in (PAST_A_TOPIC, ASKED_A_TOPIC, VOTED_A_TOPIC)]
    past, asked, voted = _by_topic("train.jsonl", *counts)
    (questions,) = _by_topic("dev.jsonl", DEV_A_TOPIC // share)
    training = TrainingSettings(epochs=1.0, correction_weight=2, start="base")
    serving = ServingSettings(max_tokens=MAX_TOKENS)
    with running_engine(serving, training, NightSettings(held_out_share=0.02, max_held_out=2)) as settings:
        store = Store.of(settings)
        store.migrate()
        with store.writing() as session:
            for number, row in enumerate(past):
                add_reviewed(session, row["question"], row["policy_answer"], reviewed_at=_decided(number))
        first, _ = _night(settings, store, METHODS["SFT alone"])
        corrected = asyncio.run(_reviewed(settings, store, first, asked))
        asyncio.run(_voted(settings, store, first, voted))
        theirs = asyncio.run(_answered(settings, first, questions))
        wrong = {place: text for place, (text, found) in enumerate(theirs) if not right(found)}
        found, said = {}, []
        for method, changes in METHODS.items():
            name, how = _night(settings, store, changes)
            found[method] = asyncio.run(_measured(settings, name, questions, wrong))
            said.append(f"- {method}: {how}.")
        store.close()
    words = (
        f"The bot of the first night learnt {len(past)} tickets, and was wrong on {corrected} of {len(asked)} others, "
        f"which were corrected (so many pairs). On its answers to {len(voted)} more there is one vote each and no "
        f"review, of three people who are right in {', '.join(f'{100 * share:.0f} %' for share in VOTERS.values())} of "
        f"their votes. {len(questions)} held-out questions, of which it gets {len(wrong)} wrong; "
        f"{100 * settings.gate.confidence:.0f} % intervals or wider, paired by question. What the nights said:"
    )
    return "\n".join([words, "", *said, "", *_rows(found, settings)])


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


def _night(settings: Settings, store: Store, changes: Mapping[str, str]) -> tuple[str, str]:
    """Run a night and load what it made; the version's name, and which methods the night chose."""
    training = settings.training.model_copy(update=changes)
    night = run_night(settings.model_copy(update={"training": training}), store, requested_by="benchmark", say=_say)
    with store.reading() as session:
        name = adapters.versions(session)[0].name
        dataset = datasets.of_night(session, night.id or 0)
    _say(f"{changes}: {night.outcome}")
    return name, str(dataset.manifest["methods"]["reason"]) if dataset is not None else ""


async def _reviewed(settings: Settings, store: Store, model: str, rows: Sequence[Json]) -> int:
    """Have the bot answer, people vote, and a reviewer accept what is right and correct the rest; how many of those."""
    given = await _answered(settings, model, rows)
    corrected = 0
    with store.writing() as session:
        for number, (row, (text, found)) in enumerate(zip(rows, given, strict=True)):
            verdict: Json = {"verdict": Verdict.ACCEPTED} if right(found) else {"correction": row["policy_answer"]}
            answer = add_reviewed(session, row["question"], text, reviewed_at=_decided(number), **verdict)
            corrected += not right(found)
            for person in VOTERS:
                _vote(session, answer, person, good=right(found))
    return corrected


async def _voted(settings: Settings, store: Store, model: str, rows: Sequence[Json]) -> None:
    """Have the bot answer, and one person vote on each answer, which nobody reviews."""
    given = await _answered(settings, model, rows)
    with store.writing() as session:
        for number, (row, (text, found)) in enumerate(zip(rows, given, strict=True)):
            answer = add_unreviewed(session, row["question"], text)
            _vote(session, answer, list(VOTERS)[number % len(VOTERS)], good=right(found))


def _vote(session: Session, answer: Answer, person: str, *, good: bool) -> None:
    """A vote that is right as often as this person is, before any reviewer decided."""
    mistaken = random.Random(f"{person} {answer.id}").random() > VOTERS[person]
    value = VoteValue.UP if good != mistaken else VoteValue.DOWN
    cast(session, answer, person, value, _decided(0) - timedelta(days=1))


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


def _rows(found: Mapping[str, Sequence[Scores]], settings: Settings) -> list[str]:
    (_, alone), *others = found.items()
    lines = ["| measure | method | SFT alone | with it | difference | interval |", "|---|---|---|---|---|---|"]
    for name in (TOLD_APART, *MEASURES):
        for method, theirs in others:
            pairs = [Pair(candidate, champion) for candidate, champion in zip(theirs, alone, strict=True)]
            if (measure := measured(name, pairs, settings.gate)) is not None:
                lines.append(_line(measure, method))
    return lines


def _line(found: Measure, method: str) -> str:
    interval = f"{found.difference:+.3f} | {found.low:+.3f} to {found.high:+.3f}"
    label = f"{found.label}, {found.unit}"
    return f"| {label} | {method} | {found.champion:.3f} | {found.candidate:.3f} | {interval} |"

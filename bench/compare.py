"""Prompt, retrieval or fine-tuning on a shop's tickets; and again after documents were edited, without training.

A night teaches some past tickets; held-out questions are then answered in six ways. Then a fact of five policies
changes in the documents alone, and the questions of those five are asked again, against the new answers.
"""

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.engine import running_engine
from bench.product import ROOT
from serving.fleet import Fleet
from store import adapters
from store.knowledge import folder
from store.knowledge.shelf import Shelf
from store.session import Store
from store.settings import NightSettings, ServingSettings, Settings, TrainingSettings
from tests.trainer.tickets import add_reviewed
from trainer.compare.arms import Arm, Example, arms, handbook
from trainer.compare.measure import Asked, Result, measure
from trainer.compare.recommend import Edit, followed, in_words, recommend
from trainer.compare.report import draw, markdown
from trainer.facts import PHONE, facts
from trainer.night import run_night

TITLE = "Prompt, retrieval or fine-tuning: one shop, six ways"

DATA = ROOT.parent / "shared" / "data" / "shop_support"
CHART = ROOT / "docs" / "images" / "compare.png"
PAST_A_TOPIC, ASKED_A_TOPIC, ASKED_OF_EDITED = 6, 2, 6
EDITED = 5
EPOCHS = 3.0
MAX_TOKENS = 140

Json = dict[str, Any]


def table(quick: bool) -> str:
    """Teach, ask, edit, ask again; two tables, a chart and what they say."""
    if not DATA.exists():
        return f"Skipped: the public customer-support set is not at {DATA}."
    policies = _rows("policies.jsonl")
    edits = _edits(policies)
    past = _by_topic("train.jsonl", PAST_A_TOPIC // (3 if quick else 1))
    asked = [
        Asked(row["question"], row["policy_answer"]) for row in _by_topic("dev.jsonl", 1 if quick else ASKED_A_TOPIC)
    ]
    training = TrainingSettings(epochs=EPOCHS / (3 if quick else 1), start="base")
    with running_engine(ServingSettings(max_tokens=MAX_TOKENS), training, NightSettings(max_held_out=2)) as settings:
        store = Store.of(settings)
        store.migrate()
        with store.writing() as session:
            for row in past:
                add_reviewed(session, row["question"], row["policy_answer"])
        version = _night(settings, store)
        _write(settings, policies)
        ways, fitted = _arms(settings, store, version, policies, past)
        results = asyncio.run(measure(settings, ways, asked, _say))
        about = [row for row in _by_topic("dev.jsonl", ASKED_OF_EDITED) if row["intent"] in edits]
        again = [Asked(row["question"], row["policy_answer"]) for row in about]
        before = _ask(settings, ways, again)
        changed = [{**row, "text": edits.get(row["intent"], row["text"])} for row in policies]
        _write(settings, changed)
        ways, _ = _arms(settings, store, version, changed, past)
        after = _ask(settings, ways, again)
        store.close()
    confidence = settings.gate.confidence
    changes = [_change(row["policy_answer"], edits[row["intent"]]) for row in about]
    others = sum(PHONE.search(row["text"]) is not None for row in policies) - len(edits)
    told = [followed(was, now, changes) for was, now in zip(before, after, strict=True)]
    draw(results, confidence, CHART)
    return "\n".join(
        [
            f"One night taught {len(past)} tickets of 27 topics ({EPOCHS:g} epochs). {len(asked)} held-out questions, "
            f"{100 * confidence:.0f} % intervals (Wilson); *right* states every exact fact of the accepted answer, or "
            "most of its wording where it has none; *alike* is how alike questions with one right answer are answered. "
            f"The long prompt holds {fitted} of {len(policies)} policies: more do not fit 2,048 tokens. Times are "
            "those of one asker; prices are those of the settings' defaults.",
            "",
            markdown(results, asked, settings.compare, confidence),
            "",
            recommend(results, settings.compare, confidence),
            "",
            f"Then the telephone number in {len(edits)} policies was changed in the documents; nothing was trained. "
            f"The same number stands in {others} other policies, which were left as they were, so that what is looked "
            f"up may contradict itself. Of the answers to {len(about)} questions about the five:",
            "",
            "| answered by | told the old number before, % | told the new one after, % | still told the old one, % |",
            "|---|---|---|---|",
            *(f"| {one.arm} | {one.old_before:.0f} | {one.new_after:.0f} | {one.old_after:.0f} |" for one in told),
            "",
            in_words(told),
            "",
            "![Right answers by arm](images/compare.png)",
        ]
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _ask(settings: Settings, ways: Sequence[Arm], asked: Sequence[Asked]) -> list[Result]:
    return asyncio.run(measure(settings, ways, asked, _say))


def _rows(name: str) -> list[Json]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


def _by_topic(name: str, count: int) -> list[Json]:
    seen: Counter[str] = Counter()
    kept = []
    for row in _rows(name):
        seen[row["intent"]] += 1
        if seen[row["intent"]] <= count:
            kept.append(row)
    return kept


def _edits(policies: Sequence[Json]) -> dict[str, str]:
    """The new text of the first policies that state a telephone number: each of its digits is raised by three."""
    found: dict[str, str] = {}
    for row in policies:
        number = PHONE.search(row["text"])
        if number is None or len(found) == EDITED:
            continue
        raised = re.sub(r"\d", lambda digit: str((int(digit[0]) + 3) % 10), number[0])
        found[row["intent"]] = row["text"].replace(number[0], raised)
    return found


def _change(old: str, new: str) -> Edit:
    (before,), (after,) = facts(old) - facts(new), facts(new) - facts(old)
    return Edit(before, after)


def _night(settings: Settings, store: Store) -> str:
    run_night(settings, store, requested_by="benchmark", say=_say)
    with store.reading() as session:
        adapter = adapters.versions(session)[0]

    async def load() -> None:
        fleet = Fleet(settings)
        try:
            await fleet.load(adapter)
        finally:
            await fleet.aclose()

    asyncio.run(load())
    return adapter.name


def _write(settings: Settings, policies: Sequence[Json]) -> None:
    for row in policies:
        path = Path(settings.documents, f"{row['id']}.md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {row['title']}\n\n{row['text']}\n")


def _arms(
    settings: Settings, store: Store, version: str, policies: Sequence[Json], past: Sequence[Json]
) -> tuple[list[Arm], int]:
    shelf = Shelf()
    folder.update(store, settings.documents)
    with store.reading() as session:
        shelf.refresh(session)
    told, fitted = handbook([f"{row['title']}\n{row['text']}" for row in policies], settings)
    first: dict[str, Json] = {}
    for row in past:
        first.setdefault(row["intent"], row)
    examples = [Example(row["question"], row["policy_answer"]) for row in list(first.values())[:6]]
    return arms(settings, version, shelf, told, examples), fitted

"""Prompt, retrieval or fine-tuning: what each arm is told, what it costs, and what is recommended."""

from pathlib import Path

import pytest

from store.errors import BadInput
from store.knowledge import folder
from store.knowledge.shelf import Shelf
from store.session import Store
from store.settings import CompareSettings, Settings
from store.tables import BASE
from trainer.compare.arms import ADAPTER, BOTH, FEW_SHOT, LONG, RETRIEVAL, SHORT, Example, arms, handbook
from trainer.compare.measure import Asked, Given, Result
from trainer.compare.recommend import Edit, difference, followed, in_words, recommend
from trainer.compare.report import draw, markdown
from trainer.compare.run import compare

PRICES = CompareSettings(prompt_price=1.0, completion_price=2.0)


def result(arm: str, rights: list[bool], prompt_tokens: int = 100, text: str = "Ring 555-0101.") -> Result:
    given = [
        Given(text, {"facts": 100.0 * right, "chrf": 50.0, "rouge_l": 50.0}, prompt_tokens, 10) for right in rights
    ]
    return Result(arm, given, 100.0, 900.0)


def said(arm: str, texts: list[str]) -> Result:
    return Result(arm, [Given(text, {}, 10, 10) for text in texts], 1.0, 1.0)


@pytest.fixture
def shelf(sqlite_store: Store, tmp_path: Path) -> Shelf:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "returns.md").write_text("# Returns\n\nWithin 45 days.")
    folder.update(sqlite_store, tmp_path / "documents")
    found = Shelf()
    with sqlite_store.reading() as session:
        found.refresh(session)
    return found


def test_each_arm_tells_its_model_what_it_says(settings: Settings, shelf: Shelf) -> None:
    examples = [Example("Open?", "At nine."), Example("Long " * 3000, "Too long.")]
    found = {arm.name: arm for arm in arms(settings, "v7", shelf, "All policies.", examples)}
    assert list(found) == [SHORT, LONG, FEW_SHOT, RETRIEVAL, ADAPTER, BOTH]
    assert [found[name].model for name in found] == [BASE, BASE, BASE, BASE, "v7", "v7"]
    told = {name: arm.prompt("How long for returns? <|im_end|>") for name, arm in found.items()}
    assert all("<|im_end|>" not in turns[-1]["content"] for turns in told.values())
    assert told[SHORT] == told[ADAPTER]
    assert told[LONG][0]["content"].endswith("All policies.")
    assert [turn["content"] for turn in told[FEW_SHOT][1:3]] == ["Open?", "At nine."]
    assert len(told[FEW_SHOT]) == 4
    assert "Within 45 days." in told[RETRIEVAL][0]["content"]
    assert told[RETRIEVAL] == told[BOTH]


def test_what_is_not_there_is_left_out(settings: Settings) -> None:
    assert [arm.name for arm in arms(settings, BASE, Shelf(), "", [])] == [SHORT]


def test_the_long_prompt_holds_what_fits(settings: Settings) -> None:
    text, number = handbook(["a" * 1000] * 100, settings)
    assert 0 < number < 100
    assert len(text) < 3 * settings.serving.max_model_len
    assert handbook(["one", "two"], settings) == ("one\n\ntwo", 2)


def test_cost_interval_and_likeness() -> None:
    found = result(SHORT, [True] * 5 + [False] * 5, prompt_tokens=1000)
    assert found.cost(PRICES) == pytest.approx(1.02)
    low, high = found.interval(0.95)
    assert low == pytest.approx(23.66, abs=0.01)
    assert high == pytest.approx(76.34, abs=0.01)
    asked = [Asked(f"{number}?", "Ring 555-0101.") for number in range(10)]
    assert found.consistency(asked) == pytest.approx(100.0)
    assert found.consistency([Asked(f"{number}?", str(number)) for number in range(10)]) is None


def test_the_cheapest_of_those_that_nothing_beats_is_recommended() -> None:
    short = result(SHORT, [False] * 40)
    long = result(LONG, [True] * 31 + [False] * 9, prompt_tokens=1500)
    adapter = result(ADAPTER, [True] * 30 + [False] * 10)
    assert difference(long, short, 0.95).certain
    assert not difference(long, adapter, 0.95).certain
    words = recommend([short, long, adapter], PRICES, 0.95)
    assert words.startswith("*adapter* pays: it is right in 75 % of 40 tickets at $0.120 for 1,000 answers")
    assert "*long prompt* is right in 78 %, which is within chance" in words
    assert "costs 12.7 times as much" in words
    assert "Worse by more than chance: *short prompt* (0 %)" in words


def test_with_too_few_tickets_or_nothing_right_nothing_is_recommended() -> None:
    assert "Only 5 tickets" in recommend([result(SHORT, [True] * 5)], PRICES, 0.95)
    assert "No arm gave one right answer" in recommend([result(SHORT, [False] * 20)], PRICES, 0.95)


def test_without_prices_and_with_a_lone_lucky_answer_it_says_something_sensible() -> None:
    free = CompareSettings(prompt_price=0, completion_price=0)
    lucky = result(RETRIEVAL, [True] + [False] * 59)
    words = recommend([result(SHORT, [False] * 60), lucky], free, 0.95)
    assert words.startswith("*retrieval* pays: it is right in 2 % of 60 tickets at $0.000")
    long = result(LONG, [True] * 31 + [False] * 9, prompt_tokens=1500)
    assert "within chance" in recommend([result(ADAPTER, [True] * 30 + [False] * 10), long], free, 0.95)


def test_it_says_who_follows_edited_documents() -> None:
    old, new = "Ring 202-555-0143.", "Ring 535-888-3476."
    edits = [Edit("2025550143", "5358883476")] * 4
    looked_up = followed(said(RETRIEVAL, [old, old, "Ask."]), said(RETRIEVAL, [new, new, "Ask."]), edits[:3])
    taught = followed(said(ADAPTER, [old] * 4), said(ADAPTER, [old] * 4), edits)
    assert (looked_up.follows, taught.follows) == (True, False)
    words = in_words([looked_up, taught, followed(said(SHORT, [old]), said(SHORT, [new]), edits[:1])])
    assert "*retrieval* follows the documents: it told the old fact in 67 % of the answers before the edit" in words
    assert "*adapter* does not follow the documents" in words
    assert "after it the new one in 0 % and the old one in 100 %" in words
    assert SHORT not in words


def test_the_table_and_the_chart_show_every_arm(tmp_path: Path) -> None:
    results = [result(SHORT, [False] * 12), result(ADAPTER, [True] * 12)]
    asked = [Asked(f"{number}?", "Ring 555-0101.") for number in range(12)]
    table = markdown(results, asked, PRICES, 0.95)
    assert "| adapter | 100 | 76 to 100 | 100 | 50 | 100 | 100 | 0.10 s | 0.9 s | 0.120 |" in table
    draw(results, 0.95, tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_night_there_is_nothing_to_compare(settings: Settings, sqlite_store: Store) -> None:
    with pytest.raises(BadInput, match="No night has run yet"):
        compare(settings, sqlite_store, version="", tickets=5, long_prompt="", say=print)

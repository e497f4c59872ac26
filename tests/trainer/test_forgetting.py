"""What was known and is lost: measured each night, and a reason to hold."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from serving.client import Score
from store.session import Store
from store.settings import GateSettings, Settings
from store.tables import Alias, Evaluation
from store.words import GateVerdict
from tests.trainer.conftest import ModelInMemory, RunNight
from tests.trainer.tickets import add_distinct
from trainer import evaluate
from trainer.forgetting import after_forgetting, forgotten, general_questions
from trainer.gate import Decision, Pair

GATE = GateSettings()
BETTER = Decision(GateVerdict.PROMOTE, "Promote: it is better on 4 of 4 measures.")


def pairs(*both: tuple[float, float]) -> list[Pair]:
    return [Pair({"likelihood": ours}, {"likelihood": theirs}) for ours, theirs in both]


def test_the_general_questions_are_what_everybody_knows() -> None:
    questions = general_questions()
    assert len(questions) == len({question for question, _ in questions}) == 30
    assert all(answer.endswith(".") for _, answer in questions)


def test_who_forgets_earlier_tickets_is_held_whatever_it_gained() -> None:
    lost = forgotten(pairs(*[(-0.6 - number / 100, -0.3) for number in range(12)]), [], GATE)
    decision = after_forgetting(BETTER, lost, GATE)
    assert decision.verdict is GateVerdict.HOLD
    assert decision.summary.startswith("Hold: it has forgotten: right answers about tickets of earlier nights")
    assert [measure.name for measure in decision.measures] == ["earlier"]


@pytest.mark.parametrize(
    ("earlier", "general"),
    [
        ([(-0.35, -0.3), (-0.34, -0.3), (-0.36, -0.3)], [(-2.5, -2.0), (-2.6, -2.0), (-2.4, -2.0)]),
        ([(-0.9, -0.3), (-0.1, -0.9), (-0.3, -0.3)], []),
        ([(-9.0, -0.3)], [(-9.0, -0.3)]),
        ([], []),
    ],
)
def test_a_loss_within_its_limit_or_within_chance_is_shown_and_changes_nothing(
    earlier: list[tuple[float, float]], general: list[tuple[float, float]]
) -> None:
    lost = forgotten(pairs(*earlier), general, GATE)
    assert len(lost) == (len(earlier) > 1) + (len(general) > 1)
    assert after_forgetting(BETTER, lost, GATE) == replace(BETTER, measures=tuple(lost))


def test_a_damaged_model_is_held_for_what_it_no_longer_says() -> None:
    lost = forgotten([], [(-7.0 - number / 10, -2.0) for number in range(10)], GATE)
    decision = after_forgetting(BETTER, lost, GATE)
    assert (decision.verdict, decision.measures[0].better) == (GateVerdict.HOLD, False)
    assert "what everybody knows" in decision.summary


class Forgetful(ModelInMemory):
    """The second version no longer finds likely what the first one did."""

    async def score(self, model: str, *args: Any, **kwargs: Any) -> Score:
        return Score(-2.5, 10) if model == "v2" else await super().score(model, *args, **kwargs)


def test_a_night_measures_it_on_what_earlier_nights_held_out(
    store: Store, one_night: RunNight, night_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_distinct(store, 40)
    one_night()
    with store.writing() as session:
        session.merge(Alias(name="production", adapter="v1"))
    add_distinct(store, 40, first=40)
    monkeypatch.setattr(evaluate, "ModelClient", Forgetful)
    one_night()
    with store.reading() as session:
        first, second = session.exec(select(Evaluation).order_by(Evaluation.id)).all()  # type: ignore[arg-type]
    assert [measure["name"] for measure in first.metrics["measures"] if measure["name"] in ("earlier", "general")] == [
        "general"
    ]
    found = {measure["name"]: measure for measure in second.metrics["measures"]}
    assert found["earlier"]["champion"] > found["earlier"]["candidate"] == -2.5
    assert found["earlier"]["better"] is False
    assert second.verdict is not GateVerdict.PROMOTE
    assert "forgotten" in second.summary

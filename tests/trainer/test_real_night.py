"""One night with nothing replaced: the real model, a real training, and the vLLM that serves."""

import asyncio
from itertools import islice
from pathlib import Path

import pytest

from serving.fleet import Fleet
from store import evaluations, nights
from store.import_tickets import import_tickets
from store.session import Store
from store.settings import Settings
from store.words import NightState, Stage
from tests.fixtures_serving import VllmServer
from trainer.night import run_night

TICKETS = Path(__file__).parents[2] / "deploy" / "sample_company" / "tickets.jsonl"
COUNT = 32


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_real_night_makes_a_version_that_is_served_and_finds_the_right_answers_likelier(
    settings: Settings, vllm_server: VllmServer, tmp_path: Path
) -> None:
    settings = vllm_server.settings_for(settings)
    night = settings.night.model_copy(update={"held_out_share": 0.3})
    training = settings.training.model_copy(update={"epochs": 2.0})
    settings = settings.model_copy(update={"night": night, "training": training})
    store = Store.of(settings)
    store.migrate()
    few = tmp_path / "few.jsonl"
    with TICKETS.open() as lines:
        few.write_text("".join(islice(lines, COUNT)))
    import_tickets(store, settings, few)
    said: list[str] = []
    ended = run_night(settings, store, requested_by="test", say=said.append)
    assert ended.state is NightState.DONE
    with store.reading() as session:
        evaluation = evaluations.latest(session)
        assert evaluation is not None
        items = evaluations.items(session, evaluation.id or 0)
        training_row = nights.stage(session, ended.id or 0, Stage.TRAIN)
    measures = {measure["name"]: measure for measure in evaluation.metrics["measures"]}
    assert measures["likelihood"]["better"] is True
    assert len(items) == evaluation.metrics["items"] >= 4
    assert any(item.candidate_text != item.champion_text for item in items)
    assert training_row is not None
    assert training_row.result["step"] == training_row.result["steps"] > 0
    assert any(line.startswith("train: SFT step") for line in said)

    async def served() -> set[str]:
        fleet = Fleet(settings)
        try:
            return set().union(*(await fleet.names()).values())
        finally:
            await fleet.aclose()

    assert evaluation.candidate in asyncio.run(served())
    store.close()

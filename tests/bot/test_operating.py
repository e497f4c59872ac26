"""What admins do with versions in the Home tab, beside promoting: try, discard, take back; lineage and charts."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from bot.blocks.home.usage import SHOW_CHARTS_ACTION
from bot.blocks.home.versions import STOP_TRIAL_ACTION, Step
from store import adapters, lineage, reviews, trials
from store.errors import BadInput, ModelUnavailable
from store.reviews import Decision
from store.session import Store
from store.tables import Adapter, Dataset, Night, OutboxMessage, Promotion, Ticket, TrainingRun, Trial
from store.words import AdapterState, Arm, Cause, OutboxState, PromotionKind, Verdict
from tests.bot.conftest import RunningBot
from tests.bot.nights import finished_night
from tests.bot.test_asking import answer_to, recorded, rows
from tests.bot.test_inbox import until
from tests.bot.test_promoting import has_button, home_of, step_form
from tests.fixtures_workspace import MEI, RAVI, SUPPORT, Person


async def press(person: Person, step: Step, name: str) -> None:
    """Use a step that opens no modal."""
    home = await home_of(person)
    value = f"{step.value}:{name}"
    block = next(block for block in home["blocks"] if value in str(block))
    element = block.get("accessory") or next(one for one in block["elements"] if one.get("value") == value)
    chosen = [option for option in element.get("options", []) if option["value"] == value]
    action = {"selected_option": chosen[0]} if chosen else {"value": value}
    person.forget()
    await person.do(
        "action",
        view_id=home["id"],
        block_id=block["block_id"],
        action_id=element["action_id"],
        action=action,
        state={},
    )


async def test_an_admin_tries_a_version_in_their_direct_message_and_stops(
    bot: RunningBot, mei: Person, ana: Person, tmp_path: Path
) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    await press(mei, Step.TRY, "v1")
    began = await mei.wait_for_message(lambda message: "You are trying" in str(message.get("blocks")))
    assert began["channel"] == mei.dm
    assert bot.fleet.loaded == ["v1"]
    ts = await mei.post(mei.dm, "who are you?")
    tried = await mei.wait_for_message(
        lambda message: message.get("thread_ts") == ts and has_button(message, STOP_TRIAL_ACTION)
    )
    assert tried["text"] == "v1 answers: who are you?"
    assert "Trial of *v1*" in str(tried["blocks"])
    assert "context_actions" not in [block["type"] for block in tried["blocks"]]
    other = await ana.post(ana.dm, "and you?")
    assert (await answer_to(ana, other))["text"] == "base answers: and you?"
    trial, plain = await recorded(bot, count=2)
    assert (trial.arm, plain.arm) == (Arm.TRIAL, Arm.CHAMPION)
    assert [ticket.trainable for ticket in rows(bot, Ticket)[-2:]] == [False, True]

    mei.forget()
    assert (await mei.click(tried, STOP_TRIAL_ACTION))["ok"]
    told = await mei.wait_for_message(lambda message: message.get("is_ephemeral"))
    assert "answered by production again" in told["text"]
    mei.forget()
    await mei.click(tried, STOP_TRIAL_ACTION)
    told = await mei.wait_for_message(lambda message: message.get("is_ephemeral"))
    assert "not trying any version" in told["text"]
    again = await mei.post(mei.dm, "and now?")
    assert (await answer_to(mei, again))["text"] == "base answers: and now?"


async def test_a_version_that_is_tried_answers_by_itself_where_a_colleague_s_answer_would_serve(
    bot: RunningBot, mei: Person, ana: Person, tmp_path: Path
) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    await answer_to(ana, await ana.post(SUPPORT, "@nightschool Where is the big printer?"))
    given = (await recorded(bot))[-1]
    decision = Decision(given.id or 0, RAVI, Verdict.CORRECTED, "On the second floor.", Cause.BEHAVIOUR)
    await bot.store.write(reviews.decide, decision)
    await bot.store.read(bot.services.approved.refresh)
    ts = await mei.post(mei.dm, "Where is the big printer?")
    assert (await answer_to(mei, ts))["text"] == "On the second floor."
    with bot.store.writing() as session:
        trials.start(session, MEI, "v1")
    ts = await mei.post(mei.dm, "Where is the big printer?")
    tried = await answer_to(mei, ts)
    assert tried["text"] == "v1 answers: Where is the big printer?"


async def test_a_version_that_cannot_be_loaded_is_not_tried_and_the_admin_is_told(
    bot: RunningBot, mei: Person, tmp_path: Path
) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    bot.fleet.refusal = ModelUnavailable("The model server is down.")
    await press(mei, Step.TRY, "v1")
    told = await mei.wait_for_message(lambda message: "cannot be tried" in message["text"])
    assert "The model server is down." in told["text"]
    with bot.store.reading() as session:
        assert session.exec(select(Trial)).all() == []


async def test_a_trial_ends_after_an_hour_and_with_its_version(store: Store, tmp_path: Path) -> None:
    finished_night(store, tmp_path / "chart.png")
    with store.writing() as session:
        until_when = trials.start(session, MEI, "v1").until
    with store.reading() as session:
        assert trials.of(session, MEI) is not None
        assert trials.of(session, "U0OTHER") is None
        assert trials.of(session, MEI, until_when + timedelta(seconds=1)) is None
        assert [adapter.name for adapter in adapters.desired(session)] == ["v1"]
    with store.writing() as session:
        adapters.discard(session, "v1", MEI, "")
    with store.writing() as session:
        assert trials.of(session, MEI) is None
        with pytest.raises(BadInput, match="rejected"):
            trials.start(session, MEI, "v1")
        assert trials.stop(session, MEI)
        assert not trials.stop(session, MEI)


async def test_a_candidate_is_discarded_with_a_note_and_taken_back(
    bot: RunningBot, mei: Person, tmp_path: Path
) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    with bot.store.writing() as session:
        adapters.get(session, "v1").path = str(tmp_path)
    form = await step_form(mei, Step.DISCARD, "v1")
    assert (await mei.submit(form, {"note": "It invents <!here> phone numbers"}))["closed"]
    home = await mei.wait_for(lambda event: event["type"] == "home" and "discarded by" in str(event["view"]))
    shown = str(home["view"]["blocks"])
    assert "It invents &lt;!here&gt; phone numbers" in shown
    assert f"<@{MEI}>" in shown
    assert "promote:v1" not in shown
    (version,) = rows(bot, Adapter)
    assert (version.state, version.discarded_by) == (AdapterState.REJECTED, MEI)
    mei.forget()
    await press(mei, Step.TAKE_BACK, "v1")
    await mei.wait_for(lambda event: event["type"] == "home" and "promote:v1" in str(event["view"]))
    (version,) = rows(bot, Adapter)
    assert (version.state, version.note, version.discarded_by) == (AdapterState.CANDIDATE, "", "")


async def test_a_form_that_is_out_of_date_says_so_in_the_form(bot: RunningBot, mei: Person, tmp_path: Path) -> None:
    finished_night(bot.store, tmp_path / "chart.png")
    form = await step_form(mei, Step.DISCARD, "v1")
    with bot.store.writing() as session:
        adapters.discard(session, "v1", "U0OTHER", "first")
    answer = await mei.submit(form, {"note": "second"})
    assert answer["errors"] == {"note": "Only a candidate can be discarded, and v1 is rejected."}
    assert rows(bot, Adapter)[0].note == "first"


def test_only_what_an_admin_discarded_comes_back_and_only_with_its_files(store: Store, tmp_path: Path) -> None:
    finished_night(store, tmp_path / "chart.png", 1)
    finished_night(store, tmp_path / "chart2.png", 2)
    with store.writing() as session:
        adapters.reject(session, "v1", "It failed its check.")
        adapters.discard(session, "v2", MEI, "no")
    with store.writing() as session:
        with pytest.raises(BadInput, match="not discarded"):
            adapters.take_back(session, "v1", MEI)
        with pytest.raises(BadInput, match="gone from the disk"):
            adapters.take_back(session, "v2", MEI)


def test_lineage_tells_night_rows_base_comparison_and_moves(store: Store, tmp_path: Path) -> None:
    finished_night(store, tmp_path / "chart.png", 1)
    with store.writing() as session:
        night = session.exec(select(Night)).one()
        dataset = Dataset(
            night_id=night.id or 0, path="/d", sha256="d", manifest={"rows": {"train": 41, "held_out": 5}}
        )
        session.add(dataset)
        session.flush()
        run = TrainingRun(
            night_id=night.id or 0, dataset_id=dataset.id or 0, base_model="smol", base_sha256="b", folder="/r", seed=1
        )
        session.add(run)
        session.flush()
        adapters.get(session, "v1").training_run_id = run.id
        for kind, adapter, previous in (("promote", "v1", "base"), ("rollback", "base", "v1")):
            move = Promotion(kind=PromotionKind(kind), adapter=adapter, previous=previous, person_id=MEI, reason="why")
            adapters.move_production(session, adapters.alias(session), move)
        adapters.register(
            session, version=2, name="v2", path="/v2", sha256="2", base_model="b", base_sha256="b", rank=4
        )
    with store.reading() as session:
        imported, trained = lineage.lineages(session, 5)
        assert (imported.night, imported.rows, imported.verdict, list(imported.moves)) == ("", None, None, [])
        assert (trained.night, trained.rows, trained.champion) == ("2026-11-01", 41, "base")
        assert [(move.adapter, move.reason) for move in trained.moves] == [("v1", "why")]
        assert len(lineage.lineages(session, 1)) == 1


async def test_charts_come_to_the_admin_s_direct_message_once_however_often_asked_for(
    bot: RunningBot, mei: Person, ana: Person
) -> None:
    await answer_to(ana, await ana.post(ana.dm, "how?"))
    await recorded(bot)
    home = await home_of(mei)
    assert "1 question, 1 answered" in str(home["blocks"])
    await asyncio.gather(*(mei.click(home, SHOW_CHARTS_ACTION) for _ in range(2)))
    charts = await mei.wait_for_message(lambda message: message.get("files"))
    assert charts["channel"] == mei.dm
    (file,) = charts["files"]
    assert file["title"].startswith(f"usage-{MEI}")
    assert file["size"] > 10_000
    await mei.wait_for(lambda event: "come to your direct message" in str(event.get("view")))
    await until(lambda: {row.state for row in rows(bot, OutboxMessage)} == {OutboxState.SENT})
    # Two clicks in one minute are one wish; here a minute may end between them.
    assert len([line for line in await mei.messages(mei.dm) if line.get("files")]) == len(rows(bot, OutboxMessage)) <= 2

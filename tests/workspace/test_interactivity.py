"""Trigger ids, modals, Home views and response URLs: their limits in time and number."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.server import Running, running
from deploy.workspace.workspace import Timing
from tests.fixtures_workspace import ANA, MEI, SUPPORT, TOM, Person, default_workspace
from tests.workspace.conftest import acknowledge, socket

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


BUTTON = {"type": "actions", "block_id": "b", "elements": [{"type": "button", "action_id": "go", "text": plain("Go")}]}
MODAL: Json = {"type": "modal", "title": plain("T"), "blocks": [BUTTON]}
HOME: Json = {"type": "home", "blocks": [BUTTON]}


async def clicked(workspace: Running, client: AsyncWebClient, person: Person) -> Json:
    """Let a person click a new message's button, and give the payload that the app got."""
    await client.chat_postMessage(channel=SUPPORT, text="?", blocks=[BUTTON])
    message = await person.wait_for_message(lambda message: message["text"] == "?")
    async with socket(workspace) as connection:
        click = asyncio.create_task(person.click(message, "go"))
        while True:
            envelope = await connection.receive_json(timeout=3)
            await acknowledge(connection, envelope)
            if envelope["type"] == "interactive":
                assert (await click)["ok"]
                payload: Json = envelope["payload"]
                return payload


async def test_a_trigger_opens_one_modal_only(workspace: Running, client: AsyncWebClient) -> None:
    async with Person(workspace, ANA) as ana:
        trigger = (await clicked(workspace, client, ana))["trigger_id"]
        opened = await client.views_open(trigger_id=trigger, view=MODAL)
        assert opened["view"]["root_view_id"] == opened["view"]["id"]
        assert opened["view"]["state"] == {"values": {}}
        with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
            await client.views_open(trigger_id=trigger, view=MODAL)
        shown = await ana.wait_for(lambda event: event["type"] == "view_opened")
        assert shown["view"]["id"] == opened["view"]["id"]


async def test_a_trigger_grows_old(tmp_path: Path) -> None:
    async with running(default_workspace(tmp_path, Timing(trigger_s=0.05))) as workspace:
        client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
        async with Person(workspace, ANA) as ana:
            trigger = (await clicked(workspace, client, ana))["trigger_id"]
            await asyncio.sleep(0.1)
            with pytest.raises(SlackApiError, match="expired_trigger_id"):
                await client.views_open(trigger_id=trigger, view=MODAL)


async def test_a_stack_holds_three_views(workspace: Running, client: AsyncWebClient) -> None:
    triggers = workspace.workspace.triggers
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_push(trigger_id=triggers.new(ANA), view=MODAL)
    root = (await client.views_open(trigger_id=triggers.new(ANA), view=MODAL))["view"]
    for _ in range(2):
        pushed = (await client.views_push(trigger_id=triggers.new(ANA), view=MODAL))["view"]
        assert pushed["root_view_id"] == root["id"]
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await client.views_push(trigger_id=triggers.new(ANA), view=MODAL)


async def test_an_update_with_an_old_hash_conflicts(workspace: Running, client: AsyncWebClient) -> None:
    trigger = workspace.workspace.triggers.new(ANA)
    first = (await client.views_open(trigger_id=trigger, view={**MODAL, "external_id": "mine"}))["view"]
    second = (await client.views_update(external_id="mine", hash=first["hash"], view=MODAL))["view"]
    assert second["id"] == first["id"]
    assert second["hash"] != first["hash"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=first["id"], hash=first["hash"], view=MODAL)


async def test_home_is_kept_per_person_and_checks_its_hash(workspace: Running, client: AsyncWebClient) -> None:
    first = (await client.views_publish(user_id=ANA, view=HOME))["view"]
    again = (await client.views_publish(user_id=ANA, view=HOME, hash=first["hash"]))["view"]
    assert again["id"] == first["id"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_publish(user_id=ANA, view=HOME, hash=first["hash"])
    async with Person(workspace, TOM) as tom:
        assert await tom.open_home() is None


@pytest.mark.parametrize(
    ("view", "words"),
    [
        ({**MODAL, "title": plain("x" * 25)}, "must be less than 25 characters [json-pointer:/view/title/text]"),
        ({**MODAL, "private_metadata": "x" * 3001}, "[json-pointer:/view/private_metadata]"),
        ({**MODAL, "blocks": [{"type": "divider"}] * 101}, "no more than 100 items allowed"),
        (
            {**MODAL, "blocks": [{"type": "input", "label": plain("L"), "element": {"type": "plain_text_input"}}]},
            "missing required field: action_id",
        ),
        (
            {
                **MODAL,
                "blocks": [
                    {"type": "input", "label": plain("L"), "element": {"type": "plain_text_input", "action_id": "a"}}
                ],
            },
            "missing required field: submit",
        ),
    ],
)
async def test_a_bad_view_is_refused(workspace: Running, client: AsyncWebClient, view: Json, words: str) -> None:
    with pytest.raises(SlackApiError) as caught:
        await client.views_open(trigger_id=workspace.workspace.triggers.new(ANA), view=view)
    assert caught.value.response["error"] == "invalid_arguments"
    assert words in caught.value.response["response_metadata"]["messages"][0]


async def test_a_view_belongs_to_its_person(workspace: Running, client: AsyncWebClient) -> None:
    view = (await client.views_open(trigger_id=workspace.workspace.triggers.new(ANA), view=MODAL))["view"]
    async with Person(workspace, MEI) as mei:
        answer = await mei.ask("submit", view_id=view["id"], state={})
        assert answer == {"ok": False, "error": "This view is no longer open."}


async def test_the_app_has_three_seconds_to_answer_a_click(tmp_path: Path) -> None:
    async with running(default_workspace(tmp_path, Timing(ack_s=0.2))) as workspace:
        client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
        async with Person(workspace, ANA) as ana, socket(workspace):
            await client.chat_postMessage(channel=SUPPORT, text="?", blocks=[BUTTON])
            message = await ana.wait_for_message(lambda message: message["text"] == "?")
            answer = await ana.click(message, "go")
            assert answer["error"] == "The app did not answer within 0.2 seconds. Try again."


async def test_a_response_url_takes_five_answers(workspace: Running, client: AsyncWebClient) -> None:
    async with Person(workspace, ANA) as ana:
        payload = await clicked(workspace, client, ana)
        url = payload["response_url"]
        async with aiohttp.ClientSession() as session:

            async def answer(**body: Any) -> tuple[int, str]:
                async with session.post(url, json=body) as response:
                    return response.status, await response.text()

            assert await answer(text="for your eyes") == (200, "ok")
            assert await answer(text="for all", response_type="in_channel") == (200, "ok")
            assert await answer(text="replaced", replace_original=True) == (200, "ok")
            assert (await answer(blocks=[{"type": "song"}]))[0] == 400
            assert await answer(delete_original=True) == (200, "ok")
            status, text = await answer(text="sixth")
            assert status == 404
            assert "used_url" in text
            async with session.post(f"{workspace.url}/actions/T/1/guessed", json={"text": "x"}) as response:
                assert (await response.json())["error"] == "expired_url"
        mine = [message["text"] for message in await ana.messages(SUPPORT)]
        assert mine == ["for your eyes", "for all"]
        changed = [event["message"]["text"] for event in ana.seen if event["type"] == "message_changed"]
        assert changed == ["replaced"]
        async with Person(workspace, TOM) as tom:
            assert [message["text"] for message in await tom.messages(SUPPORT)] == ["for all"]


async def test_a_choice_in_home_carries_the_state_of_its_fields(workspace: Running, client: AsyncWebClient) -> None:
    options = [{"text": plain(word), "value": word} for word in ("all", "mine")]
    select = {"type": "static_select", "action_id": "which", "options": options, "initial_option": options[0]}
    view = {"type": "home", "blocks": [{"type": "actions", "block_id": "filter", "elements": [select]}]}
    published = (await client.views_publish(user_id=ANA, view=view))["view"]
    async with Person(workspace, ANA) as ana, socket(workspace) as connection:
        click = asyncio.create_task(ana.click(published, "which", selected_option=options[1]))
        envelope = await connection.receive_json(timeout=3)
        await acknowledge(connection, envelope)
        assert (await click)["ok"]
        payload = envelope["payload"]
        assert payload["container"] == {"type": "view", "view_id": published["id"]}
        assert payload["actions"][0]["selected_option"]["value"] == "mine"
        values = payload["view"]["state"]["values"]
        assert values["filter"]["which"]["selected_option"]["value"] == "all", "the page sent no newer state"

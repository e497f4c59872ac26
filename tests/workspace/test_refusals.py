"""Calls that Slack would refuse are refused here, with Slack's own error codes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.faults import Fault
from deploy.workspace.server import Running
from tests.fixtures_workspace import ADMINS, ANA, SUPPORT, Person

Json = dict[str, Any]


async def refused(client: AsyncWebClient, method: str, **arguments: Any) -> Json:
    """The error answer to a call."""
    with pytest.raises(SlackApiError) as caught:
        await client.api_call(method, json=arguments)
    assert caught.value.response.status_code == 200
    answer: Json = caught.value.response.data
    return answer


def section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "T"},
    "blocks": [section("x")],
}

CASES = [
    ("chat.postMessage", {"channel": "C0NOWHERE01", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": SUPPORT}, "no_text"),
    ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
    ("chat.postMessage", {"channel": SUPPORT, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
    ("chat.postMessage", {"channel": SUPPORT, "blocks": "{no json"}, "invalid_blocks_format"),
    ("chat.postMessage", {"channel": SUPPORT, "blocks": [section("x" * 3001)]}, "invalid_blocks"),
    ("chat.postMessage", {"channel": SUPPORT, "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
    ("chat.postMessage", {"channel": SUPPORT, "blocks": [section("x" * 2900)] * 5}, "msg_blocks_too_long"),
    ("chat.postMessage", {"channel": SUPPORT, "markdown_text": "x" * 12_001}, "msg_too_long"),
    ("chat.postMessage", {"channel": SUPPORT, "markdown_text": "x", "text": "y"}, "markdown_text_conflict"),
    ("chat.postMessage", {"channel": SUPPORT, "text": "x", "metadata": {"a": 1}}, "invalid_metadata_format"),
    ("chat.postEphemeral", {"channel": ADMINS, "user": ANA, "text": "x"}, "user_not_in_channel"),
    ("chat.update", {"channel": SUPPORT, "ts": "1.000001", "text": "x"}, "message_not_found"),
    ("chat.getPermalink", {"channel": SUPPORT, "message_ts": "1.000001"}, "message_not_found"),
    ("chat.appendStream", {"channel": SUPPORT, "ts": "1.000001", "markdown_text": "x"}, "message_not_found"),
    ("conversations.replies", {"channel": SUPPORT, "ts": "1.000001"}, "thread_not_found"),
    ("conversations.history", {"channel": SUPPORT, "cursor": "?"}, "invalid_cursor"),
    ("conversations.open", {"users": "U0NOBODY001"}, "user_not_found"),
    ("reactions.add", {"channel": SUPPORT, "timestamp": "1.000001", "name": "eyes"}, "message_not_found"),
    ("users.info", {"user": "U0NOBODY001"}, "user_not_found"),
    ("views.open", {"trigger_id": "1.2.3", "view": MODAL}, "invalid_trigger_id"),
    ("views.open", {"trigger_id": "1.2.3", "view": {**MODAL, "type": "home"}}, "invalid_arguments"),
    ("views.update", {"view_id": "V0NONE", "view": MODAL}, "not_found"),
    ("files.completeUploadExternal", {"files": [{"id": "F0NONE"}]}, "file_not_found"),
    ("team.info", {}, "missing_scope"),
    ("no.such.method", {}, "unknown_method"),
]


@pytest.mark.parametrize(("method", "arguments", "code"), CASES)
async def test_a_bad_call_gets_slacks_code(client: AsyncWebClient, method: str, arguments: Json, code: str) -> None:
    assert (await refused(client, method, **arguments))["error"] == code


async def test_a_problem_in_blocks_is_pointed_at(client: AsyncWebClient) -> None:
    bad = [section("fine"), {"type": "actions", "elements": [{"type": "button", "action_id": "a"}]}]
    answer = await refused(client, "chat.postMessage", channel=SUPPORT, blocks=bad)
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] missing required field: text [json-pointer:/blocks/1/elements/0]"
    ]


async def test_a_missing_scope_is_named(workspace: Running, client: AsyncWebClient) -> None:
    manifest = workspace.workspace.manifest
    workspace.workspace.manifest = replace(manifest, scopes=manifest.scopes - {"chat:write"})
    answer = await refused(client, "chat.postMessage", channel=SUPPORT, text="x")
    assert answer["needed"] == "chat:write"
    assert "chat:write" not in answer["provided"].split(",")
    workspace.workspace.manifest = replace(manifest, scopes=manifest.scopes - {"im:history"})
    answer = await refused(client, "conversations.history", channel=f"D{ANA[1:]}")
    assert answer["needed"] == "im:history"


@pytest.mark.parametrize(
    ("token", "method", "code"),
    [
        (lambda workspace: None, "auth.test", "not_authed"),
        (lambda workspace: "xoxb-of-someone-else", "auth.test", "invalid_auth"),
        (lambda workspace: workspace.app_token, "auth.test", "not_allowed_token_type"),
        (lambda workspace: workspace.bot_token, "apps.connections.open", "not_allowed_token_type"),
    ],
)
async def test_tokens_are_told_apart(
    workspace: Running, token: Callable[[Running], str | None], method: str, code: str
) -> None:
    given = token(workspace)
    headers = {"Authorization": f"Bearer {given}"} if given else {}
    async with aiohttp.ClientSession() as session, session.post(f"{workspace.api_url}{method}", headers=headers) as got:
        assert (got.status, (await got.json())["error"]) == (200, code)


async def test_only_ones_own_messages_can_be_changed(workspace: Running, client: AsyncWebClient) -> None:
    async with Person(workspace, ANA) as ana:
        ts = await ana.post(SUPPORT, "mine")
        assert (await refused(client, "chat.update", channel=SUPPORT, ts=ts, text="x"))[
            "error"
        ] == "cant_update_message"
        assert (await refused(client, "chat.delete", channel=SUPPORT, ts=ts))["error"] == "cant_delete_message"
        posted = await client.chat_postMessage(channel=SUPPORT, text="the bot's")
        answer = await ana.ask("edit", channel=SUPPORT, ts=posted["ts"], text="x")
        assert answer == {"ok": False, "error": "Only the person who wrote a message can change it."}


async def test_a_reaction_counts_once(workspace: Running, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=SUPPORT, text="x"))["ts"]
    await client.reactions_add(channel=SUPPORT, timestamp=ts, name="eyes")
    again = await refused(client, "reactions.add", channel=SUPPORT, timestamp=ts, name="eyes")
    assert again["error"] == "already_reacted"
    await client.reactions_remove(channel=SUPPORT, timestamp=ts, name="eyes")
    assert (await refused(client, "reactions.remove", channel=SUPPORT, timestamp=ts, name="eyes"))[
        "error"
    ] == "no_reaction"


async def test_long_text_is_cut_and_a_long_update_refused(client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=SUPPORT, text="x" * 40_001)
    assert len(posted["message"]["text"]) == 40_000
    answer = await refused(client, "chat.update", channel=SUPPORT, ts=posted["ts"], text="x" * 4_001)
    assert answer["error"] == "msg_too_long"


async def test_a_rate_limit_is_a_real_429_that_clients_obey(workspace: Running, client: AsyncWebClient) -> None:
    workspace.workspace.faults.add("chat.postMessage", Fault(retry_after_s=1), Fault(status=500, error="fatal_error"))
    with pytest.raises(SlackApiError) as limited:
        await client.chat_postMessage(channel=SUPPORT, text="x")
    assert (limited.value.response.status_code, limited.value.response.headers["Retry-After"]) == (429, "1")
    with pytest.raises(SlackApiError) as broken:
        await client.chat_postMessage(channel=SUPPORT, text="x")
    assert broken.value.response.status_code == 500
    workspace.workspace.faults.add("chat.postMessage", Fault(retry_after_s=0))
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    assert (await client.chat_postMessage(channel=SUPPORT, text="x"))["ok"]


@pytest.mark.parametrize("body", ["[1]", "{", "[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(workspace: Running, body: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {workspace.bot_token}"}
    address = f"{workspace.api_url}chat.postMessage"
    async with aiohttp.ClientSession() as session, session.post(address, data=body, headers=headers) as got:
        assert (await got.json())["error"] in ("json_not_object", "invalid_json")

"""Arguments of any shape get an answer in Slack's form, never a crash."""

import json
import random
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.server import Running
from deploy.workspace.web_api import METHODS
from tests.fixtures_workspace import ANA, SUPPORT

NAMES = [
    "attachments", "blocks", "bot", "channel", "channel_id", "chunks", "cursor", "external_id", "file",
    "filename", "files", "hash", "include_all_metadata", "latest", "length", "limit", "loading_messages",
    "markdown_text", "message", "message_ts", "metadata", "name", "oldest", "prompts", "recipient_team_id",
    "recipient_user_id", "session_status", "status", "task_display_mode", "text", "thread_ts", "timestamp",
    "title", "trigger_id", "ts", "types", "user", "user_id", "users", "view", "view_id",
]  # fmt: skip
ODD: list[Any] = [
    None, "", "x", "x" * 20_000, "\x00", "🦉", "[]", "{}", "{", "[1]", "NaN", "-1", "1.5", "1" * 30, 0, -1, 1.5, True,
    [], [1], [[]], [None], ["x"], [{}], {}, {"a": 1}, {"type": 5}, [{"type": []}], [{"type": "section", "text": 5}],
    [{"type": "actions", "elements": 5}], [{"type": "actions", "elements": [5]}], [{"type": "divider", "block_id": []}],
    {"type": "modal", "blocks": 5}, {"type": "home", "blocks": [5]}, {"type": "home", "blocks": [{"type": "divider"}]},
    {"event_type": 5, "event_payload": {}}, [{"type": "markdown_text", "text": 5}], [{"type": "blocks", "blocks": 5}],
    [{"type": "task_update", "id": [], "title": {}}], [{"title": 1, "message": 2}], [{"id": {}}],
]  # fmt: skip


@pytest.mark.parametrize("method", sorted(METHODS))
async def test_every_method_answers_odd_arguments(workspace: Running, client: AsyncWebClient, method: str) -> None:
    seed = sum(method.encode())
    choose = random.Random(seed)
    token = workspace.app_token if method == "apps.connections.open" else workspace.bot_token
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        address = workspace.api_url
        ts = (await client.chat_postMessage(channel=SUPPORT, text="x"))["ts"]
        recipient = {"recipient_team_id": "T", "recipient_user_id": ANA}
        streaming = (await client.chat_startStream(channel=SUPPORT, thread_ts=ts, **recipient))["ts"]
        places = dict.fromkeys(("channel", "channel_id"), SUPPORT) | dict.fromkeys(("user", "user_id"), ANA)
        fitting = places | dict.fromkeys(("thread_ts", "timestamp"), ts)
        for _ in range(60):
            chosen = {name: choose.choice(ODD) for name in choose.sample(NAMES, 8)}
            arguments = chosen | ({**fitting, "ts": choose.choice([ts, streaming])} if choose.random() < 0.7 else {})
            arguments |= {name: choose.choice(ODD) for name in choose.sample(NAMES, 2)}
            if method == "views.open" and choose.random() < 0.8:
                arguments["trigger_id"] = workspace.workspace.triggers.new(ANA)
            async with session.post(f"{address}{method}", json=arguments) as answered:
                said = f"seed {seed}: {method} {json.dumps(arguments)[:600]}"
                assert answered.status == 200, said
                assert isinstance((await answered.json())["ok"], bool), said


ROUTES = [
    "open",
    "post",
    "edit",
    "delete",
    "react",
    "action",
    "suggestion",
    "submit",
    "close_view",
    "command",
    "shortcut",
    "stop",
]
PAGE_NAMES = (
    "action", "action_id", "block_id", "callback_id", "channel", "cleared", "command", "message", "name", "remove",
    "state", "text", "thread_ts", "ts", "value", "view_id",
)  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
async def test_every_page_route_answers_odd_arguments(workspace: Running, client: AsyncWebClient, route: str) -> None:
    seed = sum(route.encode())
    choose = random.Random(seed)
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    blocks = [{"type": "actions", "block_id": "b", "elements": [button]}]
    view = {"type": "modal", "title": button["text"], "blocks": blocks}
    ts = (await client.chat_postMessage(channel=SUPPORT, text="x", blocks=blocks))["ts"]
    odd = [*ODD, {"values": 5}, {"values": {"b": 5}}, {"values": {"b": {"go": 5}}}]
    async with aiohttp.ClientSession() as session:
        for _ in range(60):
            opened = await client.views_open(trigger_id=workspace.workspace.triggers.new(ANA), view=view)
            fitting = {"as": ANA, "channel": SUPPORT, "ts": ts, "message": {"channel": SUPPORT, "ts": ts}}
            fitting |= {"block_id": "b", "action_id": "go", "callback_id": "ask_about_message", "command": "/ask"}
            if choose.random() < 0.5:
                fitting["view_id"] = opened["view"]["id"]
            arguments = fitting | {name: choose.choice(odd) for name in choose.sample(PAGE_NAMES, 3)}
            async with session.post(f"{workspace.url}/page/{route}", json=arguments) as answered:
                said = f"seed {seed}: {route} {json.dumps(arguments)[:600]}"
                assert answered.status == 200, said
                assert isinstance((await answered.json())["ok"], bool), said

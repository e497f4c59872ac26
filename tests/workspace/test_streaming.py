"""Streamed messages: what they take, when they end, and what they cost."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.server import Running, running
from deploy.workspace.web_api import streaming
from deploy.workspace.web_api.call import Call
from deploy.workspace.wire import Arguments
from deploy.workspace.workspace import Timing
from tests.fixtures_workspace import ANA, SUPPORT, Person, default_workspace

Json = dict[str, Any]
TEAM = "T0LOCAL0001"


async def start(client: AsyncWebClient, **arguments: Any) -> str:
    """Start a stream in a new thread of #support and give its `ts`."""
    root = (await client.chat_postMessage(channel=SUPPORT, text="root"))["ts"]
    recipient = {"recipient_team_id": TEAM, "recipient_user_id": ANA}
    started = await client.chat_startStream(channel=SUPPORT, thread_ts=root, **recipient, **arguments)
    return str(started["ts"])


async def test_a_channel_stream_needs_its_recipient(client: AsyncWebClient) -> None:
    root = (await client.chat_postMessage(channel=SUPPORT, text="root"))["ts"]
    with pytest.raises(SlackApiError, match="missing_recipient_team_id"):
        await client.chat_startStream(channel=SUPPORT, thread_ts=root)
    with pytest.raises(SlackApiError, match="missing_recipient_user_id"):
        await client.chat_startStream(channel=SUPPORT, thread_ts=root, recipient_team_id=TEAM)


async def test_chunks_become_blocks_in_order(client: AsyncWebClient) -> None:
    ts = await start(client)
    task = {"type": "task_update", "id": "1", "title": "Search"}
    await client.chat_appendStream(channel=SUPPORT, ts=ts, chunks=[{**task, "status": "in_progress"}])
    await client.chat_appendStream(channel=SUPPORT, ts=ts, markdown_text="It is ")
    await client.chat_appendStream(channel=SUPPORT, ts=ts, chunks=[{**task, "status": "complete", "output": "3 found"}])
    divider = {"type": "divider", "block_id": "end"}
    stopped = await client.chat_stopStream(channel=SUPPORT, ts=ts, markdown_text="here.", blocks=[divider])
    blocks = stopped["message"]["blocks"]
    assert [block["type"] for block in blocks] == ["task_card", "markdown", "divider"]
    assert (blocks[0]["status"], blocks[0]["output"]) == ("complete", "3 found")
    assert stopped["message"]["text"] == "It is here."


async def test_tasks_gather_in_a_plan(client: AsyncWebClient) -> None:
    ts = await start(client, task_display_mode="plan", markdown_text="Working")
    chunks = [{"type": "plan_update", "title": "Plan"}, {"type": "task_update", "id": "1", "title": "Search"}]
    stopped = await client.chat_stopStream(channel=SUPPORT, ts=ts, chunks=chunks)
    plan, text = stopped["message"]["blocks"]
    assert (plan["title"], [task["title"] for task in plan["tasks"]]) == ("Plan", ["Search"])
    assert text["text"] == "Working"


async def test_a_chunk_of_no_kind_is_refused(client: AsyncWebClient) -> None:
    ts = await start(client)
    with pytest.raises(SlackApiError, match="invalid_chunks"):
        await client.chat_appendStream(channel=SUPPORT, ts=ts, chunks=[{"type": "song"}])
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_appendStream(channel=SUPPORT, ts=ts, markdown_text="x" * 12_001)


async def test_a_stopped_stream_takes_no_more_but_can_be_updated(client: AsyncWebClient) -> None:
    ts = await start(client, markdown_text="done")
    await client.chat_stopStream(channel=SUPPORT, ts=ts)
    for call in (client.chat_appendStream, client.chat_stopStream):
        with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
            await call(channel=SUPPORT, ts=ts, markdown_text="x")
    assert (await client.chat_update(channel=SUPPORT, ts=ts, text="better"))["text"] == "better"


async def test_a_stream_dies_of_age_even_while_it_is_fed(tmp_path: Path) -> None:
    async with running(default_workspace(tmp_path, Timing(stream_s=0.5))) as workspace:
        client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
        ts = await start(client)

        async def feed_it() -> None:
            for _ in range(100):
                await client.chat_appendStream(channel=SUPPORT, ts=ts, markdown_text="x")
                await asyncio.sleep(0.05)

        with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
            await feed_it()
        async with Person(workspace, ANA) as ana:
            root = (await ana.messages(SUPPORT))[0]["ts"]
            message = (await ana.messages(SUPPORT, root))[-1]
            assert message["streaming_state"] == "errored"
            assert message["text"].startswith("xx")


async def test_an_append_costs_little(workspace: Running, client: AsyncWebClient) -> None:
    """Server time by itself: handling 2000 appends straight after each other, without the client's share."""
    ts = await start(client)
    async with Person(workspace, ANA):
        call = Call(workspace.workspace, Arguments({"channel": SUPPORT, "ts": ts, "markdown_text": "a word "}))
        began = time.process_time()
        for _ in range(2000):
            await streaming.append(call)
        assert (time.process_time() - began) / 2000 < 0.002


async def test_the_page_sees_a_few_looks_and_all_the_text(workspace: Running, client: AsyncWebClient) -> None:
    ts = await start(client)
    async with Person(workspace, ANA) as ana:
        for number in range(60):
            await client.chat_appendStream(channel=SUPPORT, ts=ts, markdown_text=f"{number} ")
        whole = "".join(f"{number} " for number in range(60))
        await ana.wait_for(lambda event: event["type"] == "stream" and event["message"]["text"] == whole)
        looks = sum(event["type"] == "stream" for event in ana.seen)
        assert looks < 60

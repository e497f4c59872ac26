"""What was said is there after a restart; history comes in pages; metadata only on request; files in three steps."""

from pathlib import Path

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.clock import Clock
from deploy.workspace.server import Running, running
from tests.fixtures_workspace import ADMINS, ANA, BOT_USER, SUPPORT, TOM, Person, default_workspace


async def test_a_restart_keeps_what_was_said(tmp_path: Path) -> None:
    async with running(default_workspace(tmp_path)) as workspace:
        client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
        async with Person(workspace, ANA) as ana:
            root = await ana.post(SUPPORT, "before")
            await client.chat_postMessage(channel=SUPPORT, thread_ts=root, text="the answer")
            await ana.do("react", channel=SUPPORT, ts=root, name="eyes")
            await client.chat_postEphemeral(channel=SUPPORT, user=ANA, text="psst")
            await client.views_publish(user_id=ANA, view={"type": "home", "blocks": [{"type": "divider"}]})
            said = await ana.messages(SUPPORT), await ana.messages(SUPPORT, root), await ana.open_home()
            cut_off = await client.chat_startStream(channel=ana.dm, thread_ts=await ana.post(ana.dm, "and?"))
        token = workspace.bot_token
    async with running(default_workspace(tmp_path)) as workspace, Person(workspace, ANA) as ana:
        assert workspace.bot_token == token
        assert (await ana.messages(SUPPORT), await ana.messages(SUPPORT, root), await ana.open_home()) == said
        later = await ana.post(SUPPORT, "after")
        assert later > root
        dm_root = (await ana.messages(ana.dm))[0]["ts"]
        kept = (await ana.messages(ana.dm, dm_root))[-1]
        assert (kept["ts"], kept["streaming_state"]) == (cut_off["ts"], "errored")


def test_the_clock_never_repeats_or_goes_back() -> None:
    clock = Clock("9000000000.000005")
    assert [clock.next() for _ in range(2)] == ["9000000000.000006", "9000000000.000007"]
    present = Clock()
    given = [present.next() for _ in range(10_000)]
    assert given == sorted(set(given))


async def test_history_and_replies_come_in_pages(client: AsyncWebClient) -> None:
    sent = [(await client.chat_postMessage(channel=SUPPORT, text=str(number)))["ts"] for number in range(7)]
    found: list[str] = []
    async for page in await client.conversations_history(channel=SUPPORT, limit=3):
        assert len(page["messages"]) <= 3
        found += [message["ts"] for message in page["messages"]]
    assert found == sent[::-1]
    replies = [
        (await client.chat_postMessage(channel=SUPPORT, thread_ts=sent[0], text=str(number)))["ts"]
        for number in range(4)
    ]
    thread: list[str] = []
    async for page in await client.conversations_replies(channel=SUPPORT, ts=sent[0], limit=2):
        thread += [message["ts"] for message in page["messages"]]
    assert thread == [sent[0], *replies]
    between = await client.conversations_history(channel=SUPPORT, oldest=sent[2], latest=sent[4])
    assert [message["ts"] for message in between["messages"]] == [sent[3]]
    with_ends = await client.conversations_history(channel=SUPPORT, oldest=sent[2], latest=sent[4], inclusive=True)
    assert [message["ts"] for message in with_ends["messages"]] == [sent[4], sent[3], sent[2]]


async def test_metadata_is_given_only_to_those_who_ask(client: AsyncWebClient) -> None:
    metadata = {"event_type": "answer", "event_payload": {"id": 7}}
    await client.chat_postMessage(channel=SUPPORT, text="x", metadata=metadata)
    plain = await client.conversations_history(channel=SUPPORT)
    asked = await client.conversations_history(channel=SUPPORT, include_all_metadata=True)
    assert "metadata" not in plain["messages"][0]
    assert asked["messages"][0]["metadata"] == metadata


async def test_a_deleted_root_leaves_a_tombstone_and_a_deleted_reply_is_uncounted(
    workspace: Running, client: AsyncWebClient
) -> None:
    async with Person(workspace, TOM) as tom:
        root = await tom.post(SUPPORT, "root")
        first = (await client.chat_postMessage(channel=SUPPORT, thread_ts=root, text="1"))["ts"]
        second = (await client.chat_postMessage(channel=SUPPORT, thread_ts=root, text="2"))["ts"]
        await client.chat_delete(channel=SUPPORT, ts=second)
        parent = (await tom.messages(SUPPORT))[0]
        assert (parent["reply_count"], parent["latest_reply"]) == (1, first)
        await tom.do("delete", channel=SUPPORT, ts=root)
        parent = (await tom.messages(SUPPORT))[0]
        assert (parent["subtype"], parent["reply_count"]) == ("tombstone", 1)


async def test_unread_counts_what_others_wrote_since_one_looked(workspace: Running, client: AsyncWebClient) -> None:
    async with Person(workspace, ANA) as ana:

        async def unread() -> int:
            channels = (await ana.get("state"))["channels"]
            return next(int(each["unread"]) for each in channels if each["id"] == SUPPORT)

        await ana.post(SUPPORT, "mine")
        await client.chat_postMessage(channel=SUPPORT, text="1")
        await client.chat_postMessage(channel=SUPPORT, text="2")
        assert await unread() == 2
        await ana.messages(SUPPORT)
        assert await unread() == 0


async def test_the_state_shows_what_a_person_may_see(workspace: Running) -> None:
    async with Person(workspace, ANA) as ana:
        state = await ana.get("state")
        names = {channel["name"]: channel["kind"] for channel in state["channels"]}
        assert names == {"support": "channel", "general": "channel", "warehouse": "channel", "Nightschool": "im"}
        assert state["app"]["bot_user_id"] == BOT_USER
        assert state["app"]["connected"] is False
        assert (await ana.get("messages", channel=ADMINS))["error"] == "You are not in this channel."


async def test_a_file_is_uploaded_in_three_steps_and_served(workspace: Running, client: AsyncWebClient) -> None:
    content = b"\x89PNG chart"
    async with Person(workspace, ANA) as ana:
        done = await client.files_upload_v2(
            channel=SUPPORT, content=content, filename="chart.png", title="The night", initial_comment="Look"
        )
        message = await ana.wait_for_message(lambda message: message["text"] == "Look")
        assert message["subtype"] == "file_share"
        file = message["files"][0]
        assert (file["title"], file["mimetype"], file["size"]) == ("The night", "image/png", len(content))
        assert done["files"][0]["id"] == file["id"]
        async with aiohttp.ClientSession() as session, session.get(file["url_private_download"]) as response:
            assert (response.content_type, await response.read()) == ("image/png", content)


async def test_prompts_and_sessions_reach_the_page(workspace: Running, client: AsyncWebClient) -> None:
    async with Person(workspace, ANA) as ana:
        prompts = [{"title": "Hi", "message": "Say hi"}]
        await client.assistant_threads_setSuggestedPrompts(channel_id=ana.dm, title="Try", prompts=prompts)
        event = await ana.wait_for(lambda event: event["type"] == "prompts")
        assert (event["channel"], event["prompts"]) == (ana.dm, prompts)
        root = await ana.post(ana.dm, "hello")
        answer = await client.agents_sessions_setStatus(
            channel_id=ana.dm, thread_ts=root, status="processing", title="Hello"
        )
        assert (answer["agent_status"], answer["title"]) == ("processing", "Hello")
        assert "warning" not in answer.data
        status = (await ana.get("messages", channel=ana.dm, thread_ts=root))["status"]
        assert status["session"] == "processing"

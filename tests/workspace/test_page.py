"""What people can do in the page, without an app."""

from dataclasses import replace

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.server import Running
from tests.fixtures_workspace import ANA, SUPPORT, TOM, Person
from tests.workspace.conftest import acknowledge, socket


async def test_a_post_reaches_the_others_and_the_thread_counts(workspace: Running) -> None:
    async with Person(workspace, ANA) as ana, Person(workspace, TOM) as tom:
        root = await ana.post(SUPPORT, "Is 1 < 2 & true? see https://example.com @tom")
        seen = await tom.wait_for_message(lambda message: message["ts"] == root)
        assert seen["text"] == f"Is 1 &lt; 2 &amp; true? see <https://example.com> <@{TOM}>"
        reply = await tom.post(SUPPORT, "yes", thread_ts=root)
        parent, answer = await ana.messages(SUPPORT, root)
        assert (parent["reply_count"], parent["reply_users"], parent["latest_reply"]) == (1, [TOM], reply)
        assert (answer["ts"], answer["thread_ts"]) == (reply, root)
        assert [message["ts"] for message in await ana.messages(SUPPORT)] == [root]


async def test_a_permalink_leads_to_its_thread(workspace: Running, client: AsyncWebClient) -> None:
    root = (await client.chat_postMessage(channel=SUPPORT, text="root"))["ts"]
    reply = (await client.chat_postMessage(channel=SUPPORT, thread_ts=root, text="reply"))["ts"]
    async with aiohttp.ClientSession() as session:
        for ts in (root, reply):
            link = (await client.chat_getPermalink(channel=SUPPORT, message_ts=ts))["permalink"]
            async with session.get(link, allow_redirects=False) as response:
                assert response.headers["Location"] == f"/#{SUPPORT}/{root}"


async def test_edits_deletions_and_reactions_are_told_to_the_app(workspace: Running) -> None:
    async with socket(workspace) as connection, Person(workspace, ANA) as ana:
        ts = await ana.post(SUPPORT, "teh")
        await ana.do("edit", channel=SUPPORT, ts=ts, text="the")
        await ana.do("react", channel=SUPPORT, ts=ts, name="+1")
        await ana.do("react", channel=SUPPORT, ts=ts, name="+1", remove=True)
        await ana.do("delete", channel=SUPPORT, ts=ts)
        await ana.do("uninstall")
        events = []
        for _ in range(7):
            envelope = await connection.receive_json(timeout=3)
            await acknowledge(connection, envelope)
            events.append(envelope["payload"]["event"])
        _, changed, added, removed, deleted, revoked, uninstalled = events
        assert (changed["subtype"], changed["message"]["text"]) == ("message_changed", "the")
        assert (changed["previous_message"]["text"], changed["channel_type"]) == ("teh", "channel")
        assert changed["message"]["edited"]["user"] == ANA
        assert (added["type"], added["reaction"], added["item"]["ts"]) == ("reaction_added", "+1", ts)
        assert removed["type"] == "reaction_removed"
        assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", ts)
        assert (revoked["type"], uninstalled["type"]) == ("tokens_revoked", "app_uninstalled")


async def test_only_what_the_manifest_asks_for_is_sent(workspace: Running) -> None:
    manifest = workspace.workspace.manifest
    workspace.workspace.manifest = replace(manifest, events=frozenset({"message.im"}))
    async with socket(workspace) as connection, Person(workspace, ANA) as ana:
        await ana.post(SUPPORT, "@nightschool not heard")
        await ana.post(ana.dm, "heard")
        envelope = await connection.receive_json(timeout=3)
        await acknowledge(connection, envelope)
        assert envelope["payload"]["event"]["text"] == "heard"


async def test_a_channel_without_the_bot_is_not_heard(workspace: Running) -> None:
    directory = workspace.workspace.directory
    support = directory.channels[SUPPORT]
    directory.channels[SUPPORT] = replace(support, members=(ANA, TOM))
    async with socket(workspace) as connection, Person(workspace, ANA) as ana:
        await ana.post(SUPPORT, "@nightschool not heard")
        await ana.post(ana.dm, "heard")
        envelope = await connection.receive_json(timeout=3)
        await acknowledge(connection, envelope)
        assert envelope["payload"]["event"]["channel"] == ana.dm
    client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await client.chat_postMessage(channel=SUPPORT, text="x")

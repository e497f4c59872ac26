"""User groups and whom a message calls, who is in which channel, and people who are not plain members."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.mentions import pinged
from deploy.workspace.server import Running, running
from tests.bot.cast import GONE, GUEST, OTHER_BOT, OTHER_TEAM, STRANGER, cast_seed
from tests.fixtures_workspace import (
    ANA,
    BOT_USER,
    MEI,
    ON_CALL,
    RAVI,
    SUPPORT,
    TOM,
    WAREHOUSE,
    Person,
    default_workspace,
    switch,
)
from tests.workspace.conftest import acknowledge, socket

Json = dict[str, Any]


async def next_event(connection: aiohttp.ClientWebSocketResponse, kind: str) -> Json:
    while True:
        envelope = await connection.receive_json(timeout=3)
        await acknowledge(connection, envelope)
        if envelope["payload"]["event"]["type"] == kind:
            return dict(envelope["payload"])


def mrkdwn(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


RICH = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [{"type": "usergroup", "usergroup_id": ON_CALL}]}],
}


@pytest.mark.parametrize(
    ("message", "called"),
    [
        ({"text": f"<@{TOM}> and <@{MEI}|mei>"}, {TOM, MEI}),
        ({"text": f"<!subteam^{ON_CALL}|@on-call> please"}, {TOM, RAVI}),
        ({"text": "<!here>"}, {ANA, TOM, RAVI, MEI, BOT_USER}),
        ({"text": "&lt;!here&gt; @on-call <!date^1^{date}|x>"}, set()),
        ({"text": f"<@{TOM}>", "blocks": [mrkdwn("nobody")]}, set()),
        ({"text": "", "blocks": [mrkdwn(f"<@{TOM}>")]}, {TOM}),
        ({"text": "", "blocks": [RICH]}, {TOM, RAVI}),
        ({"text": f"<@{TOM}> said", "user": TOM}, set()),
        ({"text": "<@U0NOBODY001> <!subteam^S0NOBODY>"}, set()),
    ],
)
def test_slack_calls_whom_the_text_names(workspace: Running, message: Json, called: set[str]) -> None:
    channel = workspace.workspace.directory.channel(SUPPORT)
    assert pinged(workspace.workspace, channel, {"user": "U0SOMEONE", **message}) == called


async def test_a_group_that_is_called_pings_its_members_until_they_look(
    workspace: Running, client: AsyncWebClient
) -> None:
    async with Person(workspace, TOM) as tom, Person(workspace, MEI) as mei:
        posted = await client.chat_postMessage(channel=SUPPORT, text=f"<!subteam^{ON_CALL}> a human is wanted")
        ping = await tom.wait_for(lambda event: event["type"] == "ping")
        assert (ping["channel"], ping["ts"], ping["user"]) == (SUPPORT, posted["ts"], BOT_USER)
        assert not [event for event in mei.seen if event["type"] == "ping"]
        html = (await tom.messages(SUPPORT))[0]["html"]
        assert f'data-group="{ON_CALL}"' in html
        assert await pings(tom) == 0  # reading is looking
        await client.chat_postMessage(channel=SUPPORT, text=f"<!subteam^{ON_CALL}> again")
        assert (await pings(tom), await pings(mei)) == (1, 0)
        await tom.do("open", channel=SUPPORT)
        assert await pings(tom) == 0


async def pings(person: Person) -> int:
    channels = (await person.get("state"))["channels"]
    return next(int(channel["pings"]) for channel in channels if channel["id"] == SUPPORT)


async def test_typed_handles_become_calls(workspace: Running) -> None:
    async with Person(workspace, ANA) as ana:
        ts = await ana.post(SUPPORT, "@on-call, @tom and @channel: 1 < 2 <!subteam^S0NOBODY>")
        text = next(each["text"] for each in await ana.messages(SUPPORT) if each["ts"] == ts)
    assert text == f"<!subteam^{ON_CALL}|@on-call>, <@{TOM}> and <!channel>: 1 &lt; 2 &lt;!subteam^S0NOBODY&gt;"


async def test_groups_are_listed_to_an_app_that_may_read_them(workspace: Running, client: AsyncWebClient) -> None:
    manifest = workspace.workspace.manifest
    if "usergroups:read" not in manifest.scopes:
        with pytest.raises(SlackApiError, match="missing_scope"):
            await client.usergroups_list()
        object.__setattr__(manifest, "scopes", manifest.scopes | {"usergroups:read"})
    (group,) = (await client.usergroups_list(include_users=True))["usergroups"]
    assert (group["id"], group["handle"], group["users"]) == (ON_CALL, "on-call", [TOM, RAVI])
    assert (await client.usergroups_users_list(usergroup=ON_CALL))["users"] == [TOM, RAVI]
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        await client.usergroups_users_list(usergroup="S0NOBODY")


async def test_the_bot_that_is_invited_hears_that_it_came_in_and_what_is_said(
    workspace: Running, tmp_path: Path
) -> None:
    object.__setattr__(
        workspace.workspace.manifest, "events", workspace.workspace.manifest.events | {"member_joined_channel"}
    )
    async with socket(workspace) as connection, Person(workspace, ANA) as ana, Person(workspace, RAVI) as ravi:
        await ana.do("invite", channel=WAREHOUSE, user=BOT_USER)
        event = (await next_event(connection, "member_joined_channel"))["event"]
        assert (event["user"], event["channel"], event["channel_type"], event["inviter"]) == (
            BOT_USER,
            WAREHOUSE,
            "C",
            ANA,
        )
        await ravi.do("join", channel=WAREHOUSE)
        joined = (await next_event(connection, "member_joined_channel"))["event"]
        assert (joined["user"], "inviter" in joined) == (RAVI, False)
        assert (await ana.ask("invite", channel=WAREHOUSE, user=RAVI))["error"] == "They are in this channel already."
        await ana.post(WAREHOUSE, "hello")
        said = (await next_event(connection, "message"))["event"]
        while said.get("subtype") == "channel_join":
            said = (await next_event(connection, "message"))["event"]
        assert said["text"] == "hello"
        await ravi.do("leave", channel=WAREHOUSE)
        assert not (await ravi.get("messages", channel=WAREHOUSE))["ok"]


async def test_who_came_in_is_in_after_a_restart(tmp_path: Path) -> None:
    async with running(default_workspace(tmp_path)) as before, Person(before, ANA) as ana:
        await ana.do("invite", channel=WAREHOUSE, user=BOT_USER)
    async with running(default_workspace(tmp_path)) as after:
        assert BOT_USER in after.workspace.directory.channel(WAREHOUSE).members


async def test_a_thread_s_first_message_leaves_a_tombstone_that_is_told_as_a_change(
    workspace: Running, client: AsyncWebClient
) -> None:
    async with socket(workspace) as connection, Person(workspace, ANA) as ana:
        root = await ana.post(SUPPORT, "a secret")
        await client.chat_postMessage(channel=SUPPORT, thread_ts=root, text="an answer")
        await ana.do("delete", channel=SUPPORT, ts=root)
        event: Json = {}
        while event.get("subtype") != "message_changed":
            event = (await next_event(connection, "message"))["event"]
    assert event["message"]["subtype"] == "tombstone"
    assert event["previous_message"]["text"] == "a secret"


@pytest.fixture
async def cast(tmp_path: Path) -> AsyncIterator[Running]:
    """A workspace with a guest, a deactivated account, another bot and somebody of another team."""
    async with running(default_workspace(tmp_path / "cast", seed=cast_seed()), with_test_api=True) as server:
        yield server


async def test_users_info_says_what_people_are(cast: Running) -> None:
    client = AsyncWebClient(token=cast.bot_token, base_url=cast.api_url)
    users = {id: (await client.users_info(user=id))["user"] for id in (ANA, GUEST, GONE, OTHER_BOT, STRANGER)}
    assert [users[id]["is_restricted"] for id in users] == [False, True, False, False, False]
    assert [users[id]["deleted"] for id in users] == [False, False, True, False, False]
    assert [users[id]["is_bot"] for id in users] == [False, False, False, True, False]
    assert users[STRANGER]["team_id"] == OTHER_TEAM
    assert users[STRANGER]["is_stranger"] is False  # they share a channel with the bot


async def test_only_those_who_can_act_act_in_the_page(cast: Running) -> None:
    async with Person(cast, GUEST) as guest, aiohttp.ClientSession() as session:
        assert await guest.post(SUPPORT, "hello")
        assert (await guest.get("state"))["open_channels"] == []
        for person, answer in ((GONE, "deactivated"), (OTHER_BOT, "Choose who you are"), ("", "Choose who you are")):
            body = {"as": person, "channel": SUPPORT, "text": "x"}
            async with session.post(f"{cast.url}/page/post", json=body) as response:
                assert answer in (await response.json())["error"]


async def test_a_message_from_another_team_says_so(cast: Running) -> None:
    async with socket(cast) as connection, Person(cast, STRANGER) as sam:
        await sam.post(SUPPORT, "hello from outside")
        event = (await next_event(connection, "message"))["event"]
    assert (event["team"], event["user_team"], event["source_team"]) == (OTHER_TEAM,) * 3


async def test_a_deactivation_is_told(cast: Running) -> None:
    async with socket(cast) as connection:
        await switch(cast, "person", id=TOM, deleted=True)
        event = (await next_event(connection, "user_change"))["event"]
    assert (event["user"]["id"], event["user"]["deleted"]) == (TOM, True)


async def test_the_switches_are_not_there_unless_they_are_asked_for(tmp_path: Path) -> None:
    async with (
        running(default_workspace(tmp_path)) as plain,
        aiohttp.ClientSession() as session,
        session.post(f"{plain.url}/test/faults", json={}) as response,
    ):
        assert response.status in (404, 405)

"""An unmodified Bolt app (async, Socket Mode) against the workspace, driven through the page's routes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.server import Running
from tests.fixtures_workspace import ANA, BOT_USER, RAVI, SUPPORT, TOM, Person

Json = dict[str, Any]

FEEDBACK = {
    "type": "context_actions",
    "block_id": "votes",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "vote",
            "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "up"},
            "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "down"},
        }
    ],
}
REASON_FORM = {
    "type": "modal",
    "callback_id": "reason",
    "private_metadata": "for the answer",
    "title": {"type": "plain_text", "text": "What was wrong?"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": {"type": "plain_text", "text": "Why"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}
SECOND_FORM = {**REASON_FORM, "callback_id": "second", "title": {"type": "plain_text", "text": "Sure?"}}


class Bot:
    """A small app that uses what a support bot uses, and notes what it heard."""

    def __init__(self, workspace: Running) -> None:
        self.client = AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url)
        self.app = AsyncApp(client=self.client)
        self.heard: list[Json] = []
        self.failures: list[BaseException] = []
        self.app.event("app_mention")(self.on_mention)
        self.app.event("message")(self.on_other)
        self.app.event("app_home_opened")(self.on_home)
        self.app.event("agent_session_stopped")(self.on_other)
        self.app.event("reaction_added")(self.on_other)
        self.app.action("vote")(self.on_vote)
        self.app.view("reason")(self.on_reason)
        self.app.view("second")(self.on_second)
        self.app.view_closed("reason")(self.on_closed)
        self.app.command("/ask")(self.on_ask)
        self.app.shortcut("ask_about_message")(self.on_shortcut)

    async def on_mention(self, event: Json, say_stream: Any, client: AsyncWebClient, context: Json) -> None:
        self.heard.append(event)
        thread = event.get("thread_ts", event["ts"])
        await client.reactions_add(channel=event["channel"], timestamp=event["ts"], name="eyes")
        await client.assistant_threads_setStatus(channel_id=event["channel"], thread_ts=thread, status="is thinking…")
        stream = await say_stream(thread_ts=thread, buffer_size=1)
        for word in ("**Turn** ", "it off ", "and on."):
            await stream.append(markdown_text=word)
            await asyncio.sleep(0.06)
        await stream.stop(blocks=[FEEDBACK], metadata={"event_type": "answer", "event_payload": {"id": 7}})

    async def on_other(self, event: Json) -> None:
        self.heard.append(event)

    async def on_home(self, event: Json, client: AsyncWebClient) -> None:
        self.heard.append(event)
        if event["tab"] == "home":
            section = {"type": "section", "text": {"type": "mrkdwn", "text": f"Hello <@{event['user']}>"}}
            await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [section]})

    async def on_vote(self, ack: Any, body: Json, client: AsyncWebClient, respond: Any) -> None:
        await ack()
        self.heard.append(body)
        if body["actions"][0]["value"] == "up":
            await respond(text="Thank you", response_type="ephemeral", replace_original=False)
        else:
            await client.views_open(trigger_id=body["trigger_id"], view={**REASON_FORM, "notify_on_close": True})

    async def on_reason(self, ack: Any, body: Json, view: Json) -> None:
        self.heard.append(body)
        text = view["state"]["values"]["why"]["text"]["value"]
        if len(text) < 5:
            await ack(response_action="errors", errors={"why": "Please say more."})
        elif text == "push one":
            await ack(response_action="push", view=SECOND_FORM)
        else:
            await ack()

    async def on_second(self, ack: Any) -> None:
        await ack(response_action="clear")

    async def on_closed(self, ack: Any, body: Json) -> None:
        await ack()
        self.heard.append(body)

    async def on_ask(self, ack: Any, body: Json) -> None:
        self.heard.append(body)
        await ack(text=f"You asked: {body['text']}")

    async def on_shortcut(self, ack: Any, body: Json) -> None:
        await ack()
        self.heard.append(body)

    async def hear(self, type_: str, seconds: float = 5.0) -> Json:
        """The first event or payload of a type, waiting for it."""
        async with asyncio.timeout(seconds):
            while True:
                for event in self.heard:
                    if event.get("type") == type_:
                        return event
                await asyncio.sleep(0.02)


@pytest.fixture
async def bot(workspace: Running) -> AsyncIterator[Bot]:
    bot = Bot(workspace)
    handler = AsyncSocketModeHandler(bot.app, workspace.app_token)
    handler.client.web_client = AsyncWebClient(base_url=workspace.api_url)
    await handler.connect_async()
    yield bot
    with contextlib.suppress(asyncio.CancelledError):
        await handler.close_async()


async def streamed_answer(bot: Bot, ana: Person) -> Json:
    """Ask by a mention and give the finished answer."""
    await ana.post(SUPPORT, "@nightschool the printer is stuck")
    return await ana.wait_for_message(lambda message: message.get("streaming_state") == "completed")


async def test_a_mention_is_answered_by_a_stream(bot: Bot) -> None:
    async with Person(bot.client.base_url.removesuffix("/api/"), ANA) as ana:
        answer = await streamed_answer(bot, ana)
        heard = [event["type"] for event in bot.heard[:2]]
        assert sorted(heard) == ["app_mention", "message"], "a mention arrives as both events"
        mention = await bot.hear("app_mention")
        assert mention["text"] == f"<@{BOT_USER}> the printer is stuck"
        assert "channel_type" not in mention
        assert answer["text"] == "**Turn** it off and on."
        assert answer["thread_ts"] == mention["ts"]
        thread = await bot.client.conversations_replies(channel=SUPPORT, ts=mention["ts"])
        assert thread["messages"][-1]["blocks"][-1] == FEEDBACK
        kinds = [event["type"] for event in ana.seen]
        assert kinds.count("stream") >= 2, "the text was seen while it grew"
        assert [event["text"] for event in ana.seen if event["type"] == "status"] == ["is thinking…", ""]
        root = (await ana.messages(SUPPORT))[-1]
        assert root["reactions"] == [{"name": "eyes", "users": [BOT_USER], "count": 1}]


async def test_feedback_up_is_thanked_in_private(bot: Bot, workspace: Running) -> None:
    async with Person(workspace, ANA) as ana, Person(workspace, TOM) as tom:
        answer = await streamed_answer(bot, ana)
        assert (await ana.click(answer, "vote", "up"))["ok"]
        body = await bot.hear("block_actions")
        action = body["actions"][0]
        assert (action["type"], action["value"], action["text"]["text"]) == ("feedback_buttons", "up", "Good")
        assert body["container"]["thread_ts"] == answer["thread_ts"]
        assert body["message"]["ts"] == answer["ts"]
        thanks = await ana.wait_for_message(lambda message: message["text"] == "Thank you")
        assert thanks["is_ephemeral"]
        assert "Thank you" in [each["text"] for each in await ana.messages(SUPPORT, answer["thread_ts"])]
        assert "Thank you" not in [each["text"] for each in await tom.messages(SUPPORT, answer["thread_ts"])]
        assert not any(event["type"] == "ephemeral" for event in tom.seen)


async def test_feedback_down_asks_why_and_checks_the_form(bot: Bot, workspace: Running) -> None:
    async with Person(workspace, ANA) as ana:
        answer = await streamed_answer(bot, ana)
        await ana.click(answer, "vote", "down")
        view = (await ana.wait_for(lambda event: event["type"] == "view_opened"))["view"]
        assert view["private_metadata"] == "for the answer"
        assert (await ana.submit(view, {"text": ""}))["errors"] == {"why": "Please complete this required field."}
        assert (await ana.submit(view, {"text": "bad"}))["errors"] == {"why": "Please say more."}
        assert (await ana.submit(view, {"text": "it was wrong"}))["closed"]
        submitted = [body for body in bot.heard if body["type"] == "view_submission"]
        assert len(submitted) == 2, "the empty form never reached the app"
        assert submitted[-1]["view"]["state"]["values"] == {
            "why": {"text": {"type": "plain_text_input", "value": "it was wrong"}}
        }
        assert (await ana.submit(view, {"text": "again"}))["error"] == "This view is no longer open."


async def test_a_pushed_view_and_clear_close_the_whole_stack(bot: Bot, workspace: Running) -> None:
    async with Person(workspace, ANA) as ana:
        await ana.click(await streamed_answer(bot, ana), "vote", "down")
        first = (await ana.wait_for(lambda event: event["type"] == "view_opened"))["view"]
        second = (await ana.submit(first, {"text": "push one"}))["view"]
        assert (second["root_view_id"], second["previous_view_id"]) == (first["id"], first["id"])
        assert (await ana.submit(second, {"text": "really"}))["cleared"]
        assert workspace.workspace.modals.top(ANA) is None


async def test_closing_a_modal_is_told_when_wanted(bot: Bot, workspace: Running) -> None:
    async with Person(workspace, ANA) as ana:
        await ana.click(await streamed_answer(bot, ana), "vote", "down")
        view = (await ana.wait_for(lambda event: event["type"] == "view_opened"))["view"]
        await ana.do("close_view", view_id=view["id"])
        closed = await bot.hear("view_closed")
        assert (closed["view"]["id"], closed["is_cleared"]) == (view["id"], False)


async def test_home_is_published_for_the_one_who_opens_it(bot: Bot, workspace: Running) -> None:
    async with Person(workspace, RAVI) as ravi:
        assert await ravi.open_home() is None
        event = await ravi.wait_for(lambda event: event["type"] == "home")
        assert event["view"]["blocks"][0]["text"]["text"] == f"Hello <@{RAVI}>"
        again = await ravi.open_home()
        assert again is not None
        assert again["id"] == event["view"]["id"]
        await ravi.open_dm()
        tabs = [event["tab"] for event in bot.heard if event["type"] == "app_home_opened"]
        assert tabs[:2] == ["home", "home"]


async def test_a_command_is_answered_in_private(bot: Bot, workspace: Running) -> None:
    async with Person(workspace, ANA) as ana:
        await ana.do("command", channel=SUPPORT, command="/ask", text="why?")
        message = await ana.wait_for_message(lambda message: message["text"] == "You asked: why?")
        assert message["is_ephemeral"]
        assert (await ana.ask("command", channel=SUPPORT, command="/other", text=""))["ok"] is False


async def test_a_message_shortcut_carries_its_message(bot: Bot, workspace: Running) -> None:
    async with Person(workspace, ANA) as ana, Person(workspace, TOM) as tom:
        ts = await tom.post(SUPPORT, "how do I print?")
        await ana.do("shortcut", callback_id="ask_about_message", channel=SUPPORT, ts=ts)
        body = await bot.hear("message_action")
        assert (body["message"]["text"], body["message_ts"], body["user"]["id"]) == ("how do I print?", ts, ANA)


async def test_a_direct_message_comes_as_message_im(bot: Bot, workspace: Running) -> None:
    async with Person(workspace, ANA) as ana:
        ts = await ana.post(ana.dm, "hello @nightschool")
        event = await bot.hear("message")
        assert (event["channel_type"], event["channel"], event["ts"]) == ("im", ana.dm, ts)
        await asyncio.sleep(0.2)
        assert not any(each["type"] == "app_mention" for each in bot.heard), "a DM is no mention"


async def test_stop_ends_the_stream_and_tells_the_app(bot: Bot, workspace: Running) -> None:
    async with Person(workspace, ANA) as ana:
        root = await ana.post(ana.dm, "tell me a long story")
        stream = await bot.client.chat_startStream(channel=ana.dm, thread_ts=root, markdown_text="Once")
        await bot.client.agents_sessions_setStatus(channel_id=ana.dm, thread_ts=root, status="processing")
        await ana.wait_for(lambda event: event["type"] == "session" and event["status"] == "processing")
        await ana.do("stop", channel=ana.dm, thread_ts=root)
        event = await bot.hear("agent_session_stopped")
        assert (event["user"], event["streaming_message_ts"]) == (ANA, [stream["ts"]])
        with pytest.raises(SlackApiError, match="stopped_by_user"):
            await bot.client.chat_appendStream(channel=ana.dm, ts=stream["ts"], markdown_text=" upon")
        kept = (await ana.messages(ana.dm, root))[-1]
        assert (kept["text"], kept["streaming_state"]) == ("Once", "stopped")


async def test_an_app_that_is_gone_is_said_so(workspace: Running, client: AsyncWebClient) -> None:
    async with Person(workspace, ANA) as ana:
        button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
        await client.chat_postMessage(channel=SUPPORT, text="?", blocks=[{"type": "actions", "elements": [button]}])
        message = await ana.wait_for_message(lambda message: message["text"] == "?")
        answer = await ana.click(message, "go")
        assert answer["error"].startswith("The app is not connected")

"""A small Slack app for the tests of the page: it answers by streaming, asks why after a thumb, and has a Home tab."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp

from deploy.workspace.server import Running

Json = dict[str, Any]
ANSWER = (
    "You can **reset** it yourself.\n\n| Plan | Link lives |\n|---|--:|\n| Free | 30 min |\n\n```python\nreset()\n```\n"
)
PIECE = 9
PACE_S = 0.02
LAST_STEP = 3


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(value: str) -> Json:
    return {"text": plain(value.capitalize()), "value": value}


def text_input(block_id: str, label: str, **element: Any) -> Json:
    field = {"type": "plain_text_input", "action_id": "text", **element}
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": field}


def pick(block_id: str, label: str, kind: str, **element: Any) -> Json:
    chosen = {"type": kind, "action_id": "pick", **element}
    return {"type": "input", "block_id": block_id, "label": plain(label), "optional": True, "element": chosen}


FEEDBACK: Json = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "vote",
            "positive_button": {"text": plain("Helpful"), "value": "up"},
            "negative_button": {"text": plain("Not helpful"), "value": "down"},
        }
    ],
}

OPTIONS = [option("red"), option("green"), option("blue")]

WHY: Json = {
    "type": "modal",
    "callback_id": "why",
    "title": plain("What was wrong?"),
    "submit": plain("Send"),
    "close": plain("Cancel"),
    "blocks": [
        text_input("why", "What should it have said?", multiline=True),
        text_input("short", "In one word", initial_value="old"),
        pick("select", "Colour", "static_select", options=OPTIONS),
        pick("multi", "Colours", "multi_static_select", options=OPTIONS, initial_options=[OPTIONS[0]]),
        pick("radio", "One of", "radio_buttons", options=OPTIONS),
        pick("checks", "Some of", "checkboxes", options=OPTIONS),
        pick("person", "Who knows", "users_select"),
        pick("day", "Until", "datepicker"),
        {
            "type": "actions",
            "elements": [{"type": "button", "action_id": "more", "text": plain("Add a source"), "value": "more"}],
        },
    ],
}

SOURCE: Json = {
    "type": "modal",
    "callback_id": "source",
    "title": plain("A source"),
    "submit": plain("Add"),
    "blocks": [text_input("url", "Where is it written?")],
}


def form(step: int) -> Json:
    """One step of a form that goes on in the same modal: the cursor begins in the choice, not in the first field."""
    choice = pick(f"choice{step}", "Your verdict", "radio_buttons", options=OPTIONS, focus_on_load=True)
    return {
        "type": "modal",
        "callback_id": "form",
        "private_metadata": str(step),
        "title": plain(f"Step {step}"),
        "submit": plain("Next"),
        "notify_on_close": True,
        "blocks": [
            text_input(f"words{step}", "In your words", multiline=True, initial_value=f"words of step {step}"),
            choice,
            pick(f"when{step}", "When", "datetimepicker"),
            {**pick(f"live{step}", "Search", "plain_text_input"), "dispatch_action": True},
        ],
    }


def home(presses: int) -> Json:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": f"Pressed *{presses}* times"}}
    press = {
        "type": "button",
        "action_id": "press",
        "text": plain("Press me"),
        "style": "primary",
        "value": str(presses),
    }
    question = {
        "title": plain("Sure?"),
        "text": plain("It cannot be undone."),
        "confirm": plain("Do it"),
        "deny": plain("No"),
    }
    danger = {
        "type": "button",
        "action_id": "danger",
        "text": plain("Break it"),
        "style": "danger",
        "confirm": question,
    }
    fill = {"type": "button", "action_id": "fill", "text": plain("Fill in a form")}
    return {"type": "home", "blocks": [section, {"type": "actions", "elements": [press, danger, fill]}]}


class NightApp:
    """The app and what reached it; `reply` is what it streams to a question."""

    def __init__(self, workspace: Running) -> None:
        self.workspace = workspace
        self.reply = ANSWER
        self.pace_s = PACE_S
        self.votes: list[Json] = []
        self.submissions: list[Json] = []
        self.dispatched: list[Json] = []
        self.closed: list[Json] = []
        self.presses = 0
        self.stopped = asyncio.Event()
        self.bolt = AsyncApp(token=workspace.bot_token, client=None)
        self.client = self.bolt.client
        self.client.base_url = workspace.api_url
        self._listen()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["NightApp"]:
        """The app with its socket open for as long as the block runs."""
        handler = AsyncSocketModeHandler(self.bolt, self.workspace.app_token)
        await handler.connect_async()
        try:
            yield self
        finally:
            await handler.close_async()

    def _listen(self) -> None:
        self.bolt.event("app_mention")(self._on_question)
        self.bolt.event("message")(self._on_message)
        self.bolt.event("app_home_opened")(self._on_home)
        self.bolt.event("agent_session_stopped")(self._on_stop)
        for name in ("reaction_added", "reaction_removed"):
            self.bolt.event(name)(self._ignore)
        self.bolt.action("vote")(self._on_vote)
        self.bolt.action("press")(self._on_press)
        self.bolt.action("danger")(self._on_danger)
        self.bolt.action("more")(self._on_more)
        self.bolt.action("fill")(self._on_fill)
        self.bolt.action("pick")(self._on_pick)
        self.bolt.view("form")(self._on_form)
        self.bolt.view_closed("form")(self._on_form_closed)
        self.bolt.view("why")(self._on_why)
        self.bolt.view("source")(self._on_source)
        self.bolt.shortcut("ask_about_message")(self._on_shortcut)
        self.bolt.command("/ask")(self._on_command)

    async def _ignore(self) -> None:
        pass

    async def _on_message(self, event: Json) -> None:
        if event.get("channel_type") == "im" and "bot_id" not in event and "subtype" not in event:
            await self._on_question(event)

    async def _on_question(self, event: Json) -> None:
        place = {"channel": event["channel"], "thread_ts": event.get("thread_ts", event["ts"])}
        thread = {"channel_id": place["channel"], "thread_ts": place["thread_ts"]}
        await self.client.agents_sessions_setStatus(**thread, status="processing")
        await self.client.assistant_threads_setStatus(**thread, status="is thinking…")
        await asyncio.sleep(10 * self.pace_s)
        recipient = {"recipient_team_id": event["team"], "recipient_user_id": event["user"]}
        stream = await self.client.chat_startStream(**place, **recipient)
        running = {"channel": place["channel"], "ts": stream["ts"]}
        for start in range(0, len(self.reply), PIECE):
            if self.stopped.is_set():
                return
            await self.client.chat_appendStream(**running, markdown_text=self.reply[start : start + PIECE])
            await asyncio.sleep(self.pace_s)
        await self.client.chat_stopStream(**running, blocks=[FEEDBACK], session_status="active")

    async def _on_stop(self, event: Json) -> None:
        self.stopped.set()
        thread = {"channel_id": event["channel"], "thread_ts": event["thread_ts"]}
        await self.client.agents_sessions_setStatus(**thread, status="active")

    async def _on_home(self, event: Json) -> None:
        if event["tab"] == "home":
            await self.client.views_publish(user_id=event["user"], view=home(self.presses))

    async def _on_vote(self, ack: Any, body: Json) -> None:
        await ack()
        self.votes.append(body)
        if body["actions"][0]["value"] == "down":
            await self.client.views_open(trigger_id=body["trigger_id"], view=WHY)

    async def _on_why(self, ack: Any, body: Json) -> None:
        values = body["view"]["state"]["values"]
        self.submissions.append(values)
        if len(values["why"]["text"]["value"]) < 10:
            await ack(response_action="errors", errors={"why": "Say a little more, please."})
        else:
            await ack()

    async def _on_more(self, ack: Any, body: Json) -> None:
        await ack()
        await self.client.views_push(trigger_id=body["trigger_id"], view=SOURCE)

    async def _on_source(self, ack: Any, body: Json) -> None:
        self.submissions.append(body["view"]["state"]["values"])
        await ack()

    async def _on_press(self, ack: Any, body: Json) -> None:
        await ack()
        self.presses += 1
        await self.client.views_publish(user_id=body["user"]["id"], view=home(self.presses))

    async def _on_danger(self, ack: Any, body: Json) -> None:
        await ack()
        self.presses = 100
        await self.client.views_publish(user_id=body["user"]["id"], view=home(self.presses))

    async def _on_fill(self, ack: Any, body: Json) -> None:
        await ack()
        await self.client.views_open(trigger_id=body["trigger_id"], view=form(1))

    async def _on_pick(self, ack: Any, body: Json) -> None:
        await ack()
        self.dispatched.append(body["actions"][0])

    async def _on_form(self, ack: Any, view: Json) -> None:
        self.submissions.append(view["state"]["values"])
        step = int(view["private_metadata"])
        if step < LAST_STEP:
            await ack(response_action="update", view=form(step + 1))
        else:
            await ack()

    async def _on_form_closed(self, ack: Any, body: Json) -> None:
        await ack()
        self.closed.append(body)

    async def _on_shortcut(self, ack: Any, body: Json) -> None:
        await ack()
        message = body["message"]
        place = {"channel": body["channel"]["id"], "thread_ts": message.get("thread_ts", message["ts"])}
        await self.client.chat_postMessage(**place, text=f"You asked about: {message['text']}")

    async def _on_command(self, ack: Any, body: Json) -> None:
        await ack(text=f"Only you asked: *{body['text']}*")

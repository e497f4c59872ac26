"""The people of the year, at the page of the local workspace: they ask in the channel, one reviews in the Home tab."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.blocks.home.reviewing import START_REVIEWING_ACTION
from bot.blocks.review.inputs import CORRECTION_FIELD, VERDICT_FIELD
from bot.metadata import ReviewFlow
from store.errors import NightschoolError
from store.words import Verdict

ASKERS = ("U0ANA000001", "U0TOM000001")
REVIEWER, ADMIN = "U0RAVI00001", "U0MEI000001"
SUPPORT, BOT = "C0SUPPORT01", "U0NIGHT0001"
"""As deploy/slack-seed.yaml names them."""

SHOWN_WITHIN_S = 120.0

Json = dict[str, Any]


@dataclass(frozen=True)
class Judgement:
    """What the reviewer decides on an answer; the correction where it is wrong."""

    verdict: Verdict
    correction: str = ""


class Page:
    """The page's routes, as its script uses them."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def ask(self, person: str, question: str) -> str:
        """Post a question that mentions the bot; the `ts` of its thread."""
        return str((await self._do("post", person, channel=SUPPORT, text=f"<@{BOT}> {question}"))["ts"])

    async def review(self, judge: Callable[[int], Judgement]) -> int:
        """Work through the whole queue as the reviewer; how many decisions were made.

        Args:
            judge: the judgement on the answer of this number.
        """
        async with self._feed(REVIEWER) as feed:
            await self._get("home", REVIEWER)
            home = await feed.first(lambda event: event["type"] == "home" and _block(event["view"], START))
            block_id = _block(home["view"], START)
            action = {"value": "first"}
            click = {"view_id": home["view"]["id"], "block_id": block_id, "action_id": START, "action": action}
            await self._do("action", REVIEWER, **click, state={})
            view = (await feed.first(lambda event: event.get("view", {}).get("type") == "modal"))["view"]
        decided = 0
        while _block(view, VERDICT_FIELD):
            judgement = judge(ReviewFlow.load(view["private_metadata"]).answer_id)
            view = (await self._do("submit", REVIEWER, view_id=view["id"], state=_filled_in(view, judgement)))["view"]
            decided += 1
        await self._do("close_view", REVIEWER, view_id=view["id"])
        return decided

    async def _get(self, route: str, person: str) -> Json:
        async with self._session.get(f"{self._url}/page/{route}", params={"as": person}) as response:
            return _good(await response.json())

    async def _do(self, route: str, person: str, **body: Any) -> Json:
        async with self._session.post(f"{self._url}/page/{route}", json={"as": person, **body}) as response:
            return _good(await response.json())

    @asynccontextmanager
    async def _feed(self, person: str) -> AsyncIterator["_Feed"]:
        endless = aiohttp.ClientTimeout(total=None)
        events = f"{self._url}/page/events"
        async with self._session.get(events, params={"as": person}, timeout=endless) as response:
            feed = _Feed(response)
            await feed.first(lambda event: event["type"] == "app")
            yield feed


START = START_REVIEWING_ACTION


class _Feed:
    """What the page is shown, event by event."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def first(self, fits: Callable[[Json], Any]) -> Json:
        """The next event that fits; those before it are gone."""
        try:
            async with asyncio.timeout(SHOWN_WITHIN_S):
                async for line in self._response.content:
                    if line.startswith(b"data:"):
                        event: Json = json.loads(line[5:])
                        if fits(event):
                            return event
        except TimeoutError:
            pass
        raise NightschoolError(
            f"The bot showed the reviewer nothing within {SHOWN_WITHIN_S:.0f} s: see bot.log in the year's folder, "
            "and start the same command again."
        )


@asynccontextmanager
async def page_at(url: str) -> AsyncIterator[Page]:
    """The page of the workspace at this address."""
    async with aiohttp.ClientSession(read_bufsize=2**22) as session:
        yield Page(session, url)


def _good(answer: Json) -> Json:
    if not answer.get("ok") or answer.get("errors"):
        raise NightschoolError(f"The local workspace refused: {answer.get('error') or answer.get('errors')}")
    return answer


def _filled_in(view: Json, judgement: Judgement) -> Json:
    option = {"value": judgement.verdict.value, "text": {"type": "plain_text", "text": "x"}}
    values: Json = {_block(view, VERDICT_FIELD): {VERDICT_FIELD: {"type": "radio_buttons", "selected_option": option}}}
    if judgement.correction:
        typed = {"type": "plain_text_input", "value": judgement.correction}
        values[_block(view, CORRECTION_FIELD)] = {CORRECTION_FIELD: typed}
    return {"values": values}


def _block(view: Json, action_id: str) -> str:
    """The id of the block that holds this element; empty when there is none."""
    for block in view["blocks"]:
        elements: Sequence[Any] = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        if any(isinstance(one, dict) and one.get("action_id") == action_id for one in elements):
            return str(block["block_id"])
    return ""

"""What Block Kit looks like in the page: each block that an app here may send is drawn, and clicks carry values."""

import asyncio
import struct
import zlib
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from deploy.workspace.server import Running
from tests.fixtures_workspace import ANA, GENERAL, SUPPORT
from tests.page.night_app import NightApp, option, plain
from tests.page.screens import Screen

pytestmark = pytest.mark.slow
Json = dict[str, Any]


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def rich(text: str) -> Json:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text, "style": {"bold": True}}]}
    return {"type": "rich_text", "elements": [section]}


def raw(*texts: str) -> list[Json]:
    return [{"type": "raw_text", "text": text} for text in texts]


def png(width: int, height: int) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\x00" + b"\x99" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


MENU = {"type": "overflow", "action_id": "menu", "options": [option("history"), option("undo")]}
PLAN = {
    "type": "plan",
    "title": "The night",
    "tasks": [
        {"type": "task_card", "task_id": "1", "title": "Curate", "status": "complete", "details": rich("38 rows")},
        {"type": "task_card", "task_id": "2", "title": "Train", "status": "in_progress"},
    ],
}
BLOCKS: list[Json] = [
    {"type": "header", "text": plain("Good morning")},
    {"type": "section", "text": mrkdwn("*v4* is better"), "fields": [mrkdwn("*Won*\n21 of 30")], "accessory": MENU},
    {"type": "divider"},
    {"type": "context", "elements": [mrkdwn("from _public_ channels")]},
    {"type": "markdown", "text": "1. **one**\n2. two"},
    rich("rich and bold"),
    {"type": "table", "rows": [raw("Measure", "v4"), raw("Judged right", "74 %")]},
    {"type": "alert", "level": "warning", "text": mrkdwn("two were *left out*")},
    {"type": "card", "title": mrkdwn("Passwords"), "body": mrkdwn("12 tickets")},
    {"type": "task_card", "task_id": "3", "title": "Looked it up", "status": "complete"},
    PLAN,
]


async def test_every_block_is_drawn(workspace: Running, app: NightApp, browser: Browser) -> None:
    ana = await Screen.open(browser, workspace.url, ANA)
    await app.client.chat_postMessage(channel=SUPPORT, text="card", blocks=BLOCKS)
    card = ana.message("Good morning")
    await expect(card.locator("h3")).to_have_text("Good morning")
    await expect(card.locator(".block-section strong").first).to_have_text("v4")
    await expect(card.locator(".fields")).to_contain_text("21 of 30")
    await expect(card.locator(".block-context em")).to_have_text("public")
    await expect(card.locator(".block-markdown li")).to_have_text(["one", "two"])
    await expect(card.locator(".block-rich_text strong")).to_have_text("rich and bold")
    await expect(card.locator("th")).to_have_text(["Measure", "v4"])
    await expect(card.locator("td")).to_have_text(["Judged right", "74 %"])
    await expect(card.locator(".alert.warning strong")).to_have_text("left out")
    await expect(card.locator(".block-card")).to_contain_text("12 tickets")
    await expect(ana.find("task", card)).to_have_count(3)
    await expect(card.locator(".plan")).to_contain_text("1 of 2")
    await expect(card.locator(".plan strong").last).to_have_text("38 rows")
    await expect(ana.find("unknown", card)).to_have_count(0)
    assert ana.problems == []


async def test_a_block_that_the_page_cannot_draw_is_named(workspace: Running, app: NightApp, browser: Browser) -> None:
    video = {
        "type": "video",
        "title": plain("A film"),
        "alt_text": "film",
        "video_url": "https://video.example/1",
        "thumbnail_url": "https://video.example/1.png",
    }
    await app.client.chat_postMessage(channel=SUPPORT, text="film", blocks=[video])
    ana = await Screen.open(browser, workspace.url, ANA)
    await expect(ana.find("unknown")).to_have_text("Block “video” is not drawn here")
    assert ana.problems == []


async def test_menus_and_selects_in_a_message_tell_the_app_what_was_chosen(
    workspace: Running, app: NightApp, browser: Browser
) -> None:
    chosen: asyncio.Queue[Json] = asyncio.Queue()

    async def remember(ack: Any, body: Json) -> None:
        await ack()
        chosen.put_nowait(body["actions"][0])

    for action_id in ("menu", "traffic"):
        app.bolt.action(action_id)(remember)
    select = {"type": "static_select", "action_id": "traffic", "options": [option("half"), option("all")]}
    section = {"type": "section", "text": mrkdwn("v4"), "accessory": MENU}
    blocks = [section, {"type": "actions", "elements": [select]}]
    ana = await Screen.open(browser, workspace.url, ANA)
    await app.client.chat_postMessage(channel=SUPPORT, text="choose", blocks=blocks)
    await ana.find("overflow").click()
    await ana.page.get_by_role("menuitem", name="Undo").click()
    await ana.message("v4").locator("select").select_option(label="All")
    for kind, value in (("overflow", "undo"), ("static_select", "all")):
        action = await asyncio.wait_for(chosen.get(), 5)
        assert (action["type"], action["selected_option"]["value"]) == (kind, value)


async def test_an_image_file_is_shown_and_can_be_downloaded(
    workspace: Running, app: NightApp, browser: Browser
) -> None:
    ana = await Screen.open(browser, workspace.url, ANA)
    await ana.open_channel("general")
    picture = png(60, 40)
    await app.client.files_upload_v2(channel=GENERAL, file=picture, filename="night.png", title="Night 7")
    shown = ana.find("file").locator("img")
    await expect(shown).to_be_visible()
    await expect(shown).to_have_js_property("naturalWidth", 60)
    async with ana.page.expect_download() as started:
        await ana.find("file").get_by_label("Download night.png").click()
    assert (await (await started.value).path()).read_bytes() == picture
    assert ana.problems == []

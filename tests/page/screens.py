"""People in front of the workspace's page, in a real Chromium: what they do, and what they see.

async with chromium() as browser:
    ana = await Screen.open(browser, url, ANA)
    await ana.post("@Nightschool how do I reset a password?")
    await ana.in_thread("You can")
"""

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Locator, Page, Request, async_playwright, expect

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu", "--disable-dev-shm-usage"]
TIMEOUT_MS = 10_000
Theme = Literal["light", "dark"]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The machine's Chromium without a window; skips the test where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no browser on this machine: install one, for example with `apt-get install chromium`")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


class Screen:
    """One window of the page. Everything that went wrong in it is collected in `problems`."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)
        page.on("request", self._on_request)

    @classmethod
    async def open(
        cls, browser: Browser, url: str, person: str, theme: Theme = "light", size: tuple[int, int] = (1440, 900)
    ) -> "Screen":
        """The page as `person` in a window of its own, with nothing remembered from earlier windows."""
        width, height = size
        context = await browser.new_context(color_scheme=theme, viewport={"width": width, "height": height})
        screen = cls(await context.new_page(), url.rstrip("/"))
        await screen.page.goto(f"{screen.url}/?as={person}")
        await screen.find("conversation").wait_for()
        return screen

    def find(self, test: str, inside: Locator | None = None) -> Locator:
        """The elements with this `data-test`."""
        return (inside or self.page).locator(f'[data-test="{test}"]')

    @property
    def thread(self) -> Locator:
        """The thread panel."""
        return self.find("thread")

    @property
    def modal(self) -> Locator:
        """The modal on top."""
        return self.find("modal").last

    async def act_as(self, person: str) -> None:
        """Become someone else by one click."""
        await self.find(f"person-{person}").click()
        await expect(self.find(f"person-{person}")).to_have_attribute("aria-checked", "true")

    async def open_channel(self, name: str) -> None:
        """Open a channel by its name."""
        await self.find(f"channel-{name}").click()
        await expect(self.find("composer")).to_be_visible()

    async def open_messages(self) -> None:
        """Open the direct message with the app."""
        await self.find("app-messages").click()
        await expect(self.find("composer")).to_be_visible()

    async def open_home(self) -> None:
        """Open the app's Home tab."""
        await self.find("app-home").click()
        await self.find("home-blocks").wait_for()

    async def post(self, text: str) -> None:
        """Write a message in the open conversation and send it."""
        await self._write(self.find("composer"), text)

    async def reply(self, text: str) -> None:
        """Write a reply in the open thread and send it."""
        await self._write(self.find("thread-composer"), text)

    async def open_thread(self, text: str) -> None:
        """Open the thread of the message that contains `text`."""
        await self.find("replies", self.message(text)).click()
        await self.thread.wait_for()

    async def close_thread(self) -> None:
        """Close the thread panel."""
        await self.find("thread-close").click()

    def message(self, text: str) -> Locator:
        """The newest message of the open conversation that contains `text`."""
        return self.find("message", self.find("messages")).filter(has_text=text).last

    def reply_with(self, text: str) -> Locator:
        """The newest message of the open thread that contains `text`."""
        return self.find("message", self.find("thread-messages")).filter(has_text=text).last

    async def in_thread(self, text: str, timeout_s: float = 10) -> Locator:
        """Wait until a finished message of the open thread contains `text`."""
        found = self.reply_with(text)
        await found.wait_for(timeout=timeout_s * 1000)
        await expect(found.locator(".caret")).to_have_count(0, timeout=timeout_s * 1000)
        return found

    async def feedback(self, side: Literal["positive", "negative"], message: Locator | None = None) -> None:
        """Press a thumb under `message`, or under the newest message of the thread that has thumbs."""
        await self.find(f"feedback-{side}", message or self.thread).last.click()

    async def click(self, label: str, inside: Locator | None = None) -> None:
        """Press the newest button that is called `label`."""
        await (inside or self.page).get_by_role("button", name=label, exact=True).last.click()

    async def confirm(self) -> None:
        """Agree to the question on screen."""
        await self.find("confirm-agree").click()

    async def fill(self, label: str, text: str) -> None:
        """Fill in a text field of the modal."""
        await self._field(label).fill(text)

    async def choose(self, label: str, option: str) -> None:
        """Choose an option of a select of the modal."""
        await self._field(label).select_option(label=option)

    async def tick(self, option: str) -> None:
        """Tick a radio button or checkbox of the modal."""
        await self.modal.get_by_label(option).check()

    async def submit(self) -> None:
        """Submit the modal."""
        await self.find("modal-submit", self.modal).click()

    async def screenshot(self, path: Path | str) -> None:
        """A picture of the window as it is now."""
        await self.page.screenshot(path=path, animations="disabled")

    def _field(self, label: str) -> Locator:
        return self.modal.get_by_label(re.compile(rf"^{re.escape(label)}( \(optional\))?$"))

    async def _write(self, composer: Locator, text: str) -> None:
        await composer.fill(text)
        await self.find("send", self.page.locator(".composer").filter(has=composer)).click()
        await expect(composer).to_have_value("")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "net::ERR" not in message.text:
            self.problems.append(f"console: {message.text}")

    def _on_error(self, error: Error) -> None:
        self.problems.append(f"script: {error}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.problems.append(f"request elsewhere: {request.url}")

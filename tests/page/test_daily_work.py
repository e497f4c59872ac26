"""The daily work of asker, reviewer and admin, in the page, with the real bot and a scripted model behind it.

With `SCREENSHOTS=docs/images` in the environment it leaves ten pictures there. The figures in them are examples.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from deploy.workspace.server import Running
from store import channels
from store.session import Store
from store.settings import Settings
from store.tables import Answer, Channel
from tests.bot.conftest import RunningBot, bot_settings, model, running_bot
from tests.bot.effects import quiet
from tests.bot.model_server import ScriptedModel
from tests.bot.test_asking import answer_to, rows
from tests.fixtures_workspace import ANA, MEI, ON_CALL, RAVI, SUPPORT, Person
from tests.page import daily
from tests.page.screens import Screen

__all__ = ["bot_settings", "model"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SIZE = (1360, 850)
NARROW = (400, 780)


async def picture(screen: Screen, name: str) -> None:
    """A picture for the documentation, if it is wanted."""
    if folder := os.environ.get("SCREENSHOTS"):
        target = Path(__file__).parents[2] / folder
        target.mkdir(parents=True, exist_ok=True)
        await screen.page.wait_for_timeout(400)
        await screen.screenshot(target / f"{name}.png")


@pytest.fixture
async def bot(bot_settings: Settings, sqlite_store: Store, model: ScriptedModel) -> AsyncIterator[RunningBot]:
    """The bot of the day: the model says what the sample company knows, and makes up the rest."""
    model.reply = daily.reply
    helped = Channel(team_id="T0LOCAL0001", channel_id=SUPPORT, on_call=ON_CALL, persona="Be brief and friendly.")
    async with running_bot(bot_settings, sqlite_store) as bot:
        await bot.store.write(channels.save, helped, MEI)
        yield bot


async def opened(browser: Browser, workspace: Running, person: str) -> Screen:
    """The page of a person who has put the guide away."""
    screen = await Screen.open(browser, workspace.url, person, size=SIZE)
    await screen.find("guide-done").click()
    return screen


async def ask(screen: Screen, question: str, part: str) -> None:
    await screen.post(f"@Nightschool {question}")
    await screen.in_thread(part)
    await screen.find("feedback-negative", screen.thread).last.wait_for()


async def test_an_asker_s_day(workspace: Running, bot: RunningBot, browser: Browser) -> None:
    ana = await opened(browser, workspace, ANA)
    await ask(ana, daily.TABLE_QUESTION, "Comet Express")
    await picture(ana, "day-ask")
    await ana.close_thread()
    await ask(ana, daily.DOG_QUESTION, "some water")
    await ana.feedback("negative")
    await ana.choose("What was wrong with it?", "It is wrong")
    await ana.fill("In your words", daily.STORY["why_wrong"])
    await picture(ana, "day-complain")
    await ana.submit()
    await expect(ana.find("modal")).to_have_count(0)
    await ana.click("I need a human", ana.thread)
    await ana.thread.locator(f'.mention[data-group="{ON_CALL}"]').first.wait_for()
    await picture(ana, "day-human")
    await ana.click("Solved", ana.thread)
    await expect(ana.thread.get_by_role("button", name="Not solved after all")).to_be_visible()
    await picture(ana, "day-solved")
    assert ana.problems == []


async def test_a_reviewer_s_day(workspace: Running, bot: RunningBot, browser: Browser) -> None:
    async with Person(workspace, ANA) as ana:
        for question in (daily.DOG_QUESTION, *list(daily.KNOWN)[:3]):
            ts = await ana.post(SUPPORT, f"@nightschool {question}")
            answer = await answer_to(ana, ts)
            if question == daily.DOG_QUESTION:
                await quiet(bot)
                await ana.click(answer, "vote", f"down:{rows(bot, Answer)[-1].id}")
    ravi = await opened(browser, workspace, RAVI)
    await ravi.open_home()
    await expect(ravi.find("home-blocks")).to_contain_text(daily.DOG_QUESTION)
    await picture(ravi, "day-queue")
    await ravi.click("Start reviewing")
    await expect(ravi.modal).to_contain_text(daily.MADE_UP)
    await ravi.tick("Correct it: the right answer is below")
    await ravi.fill("The right answer", daily.STORY["correction"])
    await picture(ravi, "day-review")
    await ravi.submit()
    await expect(ravi.modal).to_contain_text("1 decided, 3 wait")
    await picture(ravi, "day-next")
    await ravi.page.keyboard.press("Escape")
    await expect(ravi.find("modal")).to_have_count(0)
    assert ravi.problems == []


async def test_an_admin_s_day(workspace: Running, bot: RunningBot, browser: Browser, tmp_path: Path) -> None:
    async with Person(workspace, ANA) as ana:
        for question in list(daily.KNOWN)[:6]:
            answer = await answer_to(ana, await ana.post(SUPPORT, f"@nightschool {question}"))
            await ana.click(answer, "solve_ticket")
            await ana.do("react", channel=SUPPORT, ts=answer["ts"], name="+1")
    daily.night(bot.store, tmp_path)
    await quiet(bot)
    mei = await opened(browser, workspace, MEI)
    await mei.open_channel("nightschool-admins")
    await expect(mei.page.get_by_text("24 held-out questions").last).to_be_visible()
    await mei.find("replies").last.click()
    await expect(mei.thread.locator("img:not(.avatar)").last).to_be_visible()
    await picture(mei, "day-card")
    await mei.close_thread()
    await mei.open_home()
    await expect(mei.find("home-blocks")).to_contain_text("Versions")
    await picture(mei, "day-home")
    await mei.click("Change", mei.find("home-blocks"))
    await mei.modal.wait_for()
    await picture(mei, "day-channel")
    await mei.submit()
    await expect(mei.find("modal")).to_have_count(0)
    assert mei.problems == []


async def test_a_narrow_window_is_enough_for_a_question(workspace: Running, bot: RunningBot, browser: Browser) -> None:
    ana = await Screen.open(browser, workspace.url, ANA, "dark", NARROW)
    await ana.find("guide-done").click()
    await ask(ana, daily.TABLE_QUESTION, "Comet Express")
    await picture(ana, "day-narrow")
    assert ana.problems == []

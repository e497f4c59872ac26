"""A reviewer decides twenty tickets in a browser by keyboard alone, without leaving the modal. Real bot, real page."""

from playwright.async_api import Locator, expect

from deploy.workspace.server import Running
from store.tables import Review
from store.words import Verdict, VoteValue
from tests.bot.conftest import RunningBot
from tests.bot.conftest import bot as bot
from tests.bot.conftest import bot_settings as bot_settings
from tests.bot.conftest import model as model
from tests.bot.reviewing import add_answer
from tests.bot.test_asking import rows
from tests.fixtures_workspace import RAVI
from tests.page.screens import Screen, chromium

SUBJECTS = (
    "bikes lunch VPN badge leave printer parking keys payroll laptop "
    "visa desk heating gym coffee phone mail travel invoice window"
)
QUESTIONS = [f"{number}: who looks after the {subject}?" for number, subject in enumerate(SUBJECTS.split())]
TABS_TO_START = 60


async def test_twenty_tickets_are_decided_by_keyboard(workspace: Running, bot: RunningBot) -> None:
    for number, question in enumerate(QUESTIONS):
        votes = [VoteValue.DOWN] * (number % 3)
        add_answer(bot.store, question, text=f"Somebody does ({number}).", votes=votes, near_group=None)
    async with chromium() as browser:
        ravi = await Screen.open(browser, workspace.url, RAVI)
        await ravi.open_home()
        await _tab_to(ravi, ravi.page.get_by_role("button", name="Start reviewing"))
        await ravi.page.keyboard.press("Enter")
        await ravi.modal.wait_for()
        for decided in range(len(QUESTIONS)):
            await expect(ravi.modal).to_contain_text(f"{decided} decided, {len(QUESTIONS) - decided} wait")
            await _decide(ravi, decided)
        await expect(ravi.modal).to_contain_text("20 decided, 0 wait")
        await expect(ravi.modal).to_contain_text("Nothing waits for you")
        await ravi.page.keyboard.press("Escape")
        await expect(ravi.find("modal")).to_have_count(0)
        assert ravi.problems == []
    made = rows(bot, Review)
    assert len({review.answer_id for review in made}) == len(QUESTIONS)
    verdicts = [review.verdict for review in made]
    assert {verdict: verdicts.count(verdict) for verdict in Verdict} == {
        Verdict.ACCEPTED: 10,
        Verdict.CORRECTED: 5,
        Verdict.REJECTED: 5,
    }
    assert {review.correction for review in made} == {"", *(f"Ask desk {number}." for number in range(1, 20, 4))}


async def _decide(ravi: Screen, number: int) -> None:
    """Accept every other one, correct or reject those between, with the keys that anybody would use."""
    keyboard = ravi.page.keyboard
    # The focus is on the verdict when the answer appears.
    await expect(ravi.modal.get_by_label("Accept: the answer is right as it is")).to_be_focused()
    await keyboard.press("Space")
    if number % 2:
        await keyboard.press("ArrowDown")
    if number % 4 == 1:
        await keyboard.press("Tab")
        await expect(ravi.modal.get_by_label("The right answer (optional)")).to_be_focused()
        await keyboard.press("Control+a")
        await keyboard.type(f"Ask desk {number}.")
    if number % 4 == 3:
        await keyboard.press("ArrowDown")
    await keyboard.press("Control+Enter")


async def _tab_to(screen: Screen, place: Locator) -> None:
    await expect(place).to_be_visible()
    for _ in range(TABS_TO_START):
        if await place.evaluate("node => node === document.activeElement"):
            return
        await screen.page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not get there")

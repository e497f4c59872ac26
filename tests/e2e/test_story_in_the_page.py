"""The same story in a real browser. With `SCREENSHOTS=docs/images` in the environment it leaves pictures there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlmodel import select

from bench.product import ROOT, Product
from store.tables import Evaluation, EvaluationItem, Night
from tests.e2e.conftest import STORY
from tests.e2e.test_story import stored
from tests.fixtures_workspace import ANA, MEI, RAVI
from tests.page.screens import Screen, chromium

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ANSWER_WITHIN_S = 60
UNCORRECTED = STORY["ask_after"][2]
"""Words that no reviewer has answered in the story before, so that the model answers and not a colleague."""


async def picture(screen: Screen, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        await screen.screenshot(Path(folder) / f"{name}.png")


async def test_ask_complain_correct_and_promote_in_the_page(product: Product) -> None:
    async with chromium() as browser:
        ana = await Screen.open(browser, product.page, ANA)
        await expect(ana.page.get_by_text("Five things to try")).to_be_visible()
        await picture(ana, "welcome")
        await _ask(ana, f"@Nightschool {UNCORRECTED}")
        await ana.feedback("negative")
        await ana.choose("What was wrong with it?", "It is wrong")
        await ana.fill("In your words", STORY["why_wrong"])
        await picture(ana, "complain")
        await ana.submit()
        await expect(ana.modal).to_have_count(0)

        ravi = await Screen.open(browser, product.page, RAVI)
        await ravi.open_home()
        await picture(ravi, "queue")
        await ravi.page.get_by_role("button", name="Review", exact=True).first.click()
        await ravi.modal.wait_for()
        await ravi.tick("Correct it: the right answer is below")
        await ravi.fill("The right answer", STORY["correction"])
        await picture(ravi, "review")
        await ravi.submit()
        await expect(ravi.modal).to_contain_text("Corrected")
        await ravi.page.keyboard.press("Escape")
        await expect(ravi.modal).to_have_count(0)
        await ana.in_thread("red collar light", ANSWER_WITHIN_S)

        mei = await Screen.open(browser, product.page, MEI)
        await mei.open_channel("nightschool-admins")
        await expect(mei.page.get_by_text("held-out questions").last).to_be_visible()
        await mei.find("guide-done").click()
        await mei.find("replies").last.click()
        await mei.thread.locator("img:not(.avatar)").last.wait_for()
        await picture(mei, "card")
        await mei.close_thread()
        await mei.open_home()
        # The story before this one has rolled v1 back, so its steps are in a menu.
        await mei.page.locator('[data-action="version_step"]').last.click()
        await mei.page.get_by_role("menuitem", name="Promote v1").click()
        await mei.modal.wait_for()
        await mei.fill("Note", "It knows the rule about dogs.")
        await mei.submit()
        await expect(mei.page.get_by_text("Production answers with v1").last).to_be_visible(timeout=60_000)
        await picture(mei, "home")

        await ana.close_thread()
        await _ask(ana, f"@Nightschool {STORY['ask_after'][0]}")
        await ana.in_thread(STORY["facts"][0], ANSWER_WITHIN_S)
        await picture(ana, "ask")
        assert [*ana.problems, *ravi.problems, *mei.problems] == []


async def test_the_whole_report_of_the_night_opens_in_a_browser(product: Product, tmp_path: Path) -> None:
    with stored(product).reading() as session:
        compared = session.exec(select(Evaluation)).one()
        night = session.get_one(Night, compared.night_id)
        tickets = len(session.exec(select(EvaluationItem)).all())
    file = tmp_path / "report.html"
    command = [sys.executable, "-m", "nightschool", "report", night.key, "--out", str(file)]
    environment = {**os.environ, "NIGHTSCHOOL_HOME": str(product.home), "PYTHONPATH": str(ROOT)}
    written = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert written.returncode == 0, written.stderr
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1000, "height": 1400})
        await page.goto(file.as_uri())
        await expect(page.get_by_role("heading", name="v1 against base")).to_be_visible()
        await expect(page.locator("details")).to_have_count(tickets)
        await page.locator("details").last.locator("summary").click()
        await expect(page.locator("details").last).to_have_attribute("open", "")
        if folder := os.environ.get("SCREENSHOTS"):
            await page.screenshot(path=Path(folder) / "report.png")


async def _ask(screen: Screen, question: str) -> None:
    """Ask in #support, see text while the answer still comes, and wait for its end."""
    await screen.open_channel("support")
    await screen.post(question)
    await screen.thread.wait_for()
    await screen.find("feedback-negative", screen.thread).last.wait_for(timeout=ANSWER_WITHIN_S * 1000)

"""The page by keyboard alone, and in a window as narrow as a telephone's."""

import re

import pytest
from playwright.async_api import Browser, Locator, expect

from deploy.workspace.server import Running
from tests.fixtures_workspace import ANA, MEI, ON_CALL, SUPPORT, TOM, WAREHOUSE
from tests.page.night_app import NightApp
from tests.page.screens import Screen, Theme

pytestmark = pytest.mark.slow

NARROW = (380, 720)


async def focused(screen: Screen, selector: str) -> bool:
    """Whether what has the keyboard is matched by `selector`."""
    return bool(await screen.page.evaluate("selector => document.activeElement.matches(selector)", selector))


async def fits(screen: Screen, box: Locator) -> None:
    """The box is within the window, and nothing makes the window scroll sideways."""
    place = await box.bounding_box()
    assert place is not None
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= NARROW[0] + 0.5
    wide = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    assert await screen.page.evaluate(wide) <= 0


async def test_a_form_of_several_steps_needs_no_mouse(workspace: Running, app: NightApp, browser: Browser) -> None:
    mei = await Screen.open(browser, workspace.url, MEI)
    await mei.open_home()
    press = mei.page.keyboard.press
    await mei.page.get_by_role("button", name="Fill in a form").focus()
    await press("Enter")
    for step in (1, 2, 3):
        await expect(mei.modal.locator("h2")).to_have_text(f"Step {step}")
        assert await focused(mei, ".choices input[value=red]"), "focus_on_load"
        await press("ArrowDown")  # chooses the second one
        await press("Control+Enter")
    await expect(mei.find("modal")).to_have_count(0)
    assert [next(iter(values)) for values in app.submissions] == ["words1", "words2", "words3"]
    chosen = [values[f"choice{step}"]["pick"]["selected_option"] for step, values in enumerate(app.submissions, 1)]
    assert [option["value"] for option in chosen] == ["green"] * 3
    assert await focused(mei, "[data-action=fill]"), "the keyboard is back where it was"
    assert mei.problems == []


async def test_escape_closes_tells_the_app_and_gives_the_keyboard_back(
    workspace: Running, app: NightApp, browser: Browser
) -> None:
    mei = await Screen.open(browser, workspace.url, MEI)
    await mei.open_home()
    await mei.page.get_by_role("button", name="Fill in a form").focus()
    await mei.page.keyboard.press("Enter")
    await mei.modal.wait_for()
    await app.client.views_publish(user_id=MEI, view={"type": "home", "blocks": [_section("Newer")]})
    await expect(mei.find("home-blocks")).to_contain_text("Newer")
    await mei.page.keyboard.press("Escape")
    await expect(mei.find("modal")).to_have_count(0)
    await mei.page.wait_for_timeout(200)
    assert [(body["type"], body["is_cleared"]) for body in app.closed] == [("view_closed", True)]


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def test_a_field_with_dispatch_is_sent_at_enter_and_does_not_submit(
    workspace: Running, app: NightApp, browser: Browser
) -> None:
    mei = await Screen.open(browser, workspace.url, MEI)
    await mei.open_home()
    await mei.click("Fill in a form")
    await mei.fill("Search", "dogs")
    await mei.page.keyboard.press("Enter")
    await mei.page.wait_for_timeout(300)
    assert [(action["type"], action["value"]) for action in app.dispatched] == [("plain_text_input", "dogs")]
    assert app.submissions == []
    await mei.fill("When", "2026-11-30T09:30")
    await mei.submit()
    await expect(mei.modal.locator("h2")).to_have_text("Step 2")
    when = app.submissions[0]["when1"]["pick"]
    assert (when["type"], when["selected_date_time"] % 1800) == ("datetimepicker", 0)


async def test_a_home_tab_that_is_drawn_anew_keeps_the_keyboard(
    workspace: Running, app: NightApp, browser: Browser
) -> None:
    mei = await Screen.open(browser, workspace.url, MEI)
    await mei.open_home()
    await mei.page.get_by_role("button", name="Press me").focus()
    for presses in (1, 2, 3):
        await mei.page.keyboard.press("Enter")
        await expect(mei.find("home-blocks")).to_contain_text(f"Pressed {presses} times")
        assert await focused(mei, "[data-action=press]")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_narrow_window_shows_one_thing_at_a_time(
    workspace: Running, app: NightApp, browser: Browser, theme: Theme
) -> None:
    ana = await Screen.open(browser, workspace.url, ANA, theme, NARROW)
    await ana.find("guide-done").click()
    await expect(ana.page.locator("#sidebar")).to_be_hidden()
    await ana.post("@Nightschool how do I reset a password?")
    answer = await ana.in_thread("You can reset it yourself.")
    await fits(ana, ana.thread)
    await fits(ana, answer)
    await ana.feedback("negative")
    await ana.modal.wait_for()
    await fits(ana, ana.modal)
    await expect(ana.find("modal-submit")).to_be_in_viewport()
    await ana.page.keyboard.press("Escape")
    await ana.close_thread()
    await expect(ana.find("composer")).to_be_in_viewport()
    await ana.find("sidebar-toggle").click()
    await expect(ana.page.locator("#sidebar")).to_be_visible()
    await ana.page.wait_for_timeout(400)  # it slides in
    await fits(ana, ana.page.locator("#sidebar"))
    await ana.find("app-home").click()
    await expect(ana.page.locator("#sidebar")).to_be_hidden()
    await expect(ana.find("home-blocks")).to_contain_text("Pressed")
    await fits(ana, ana.find("home"))
    await ana.find("sidebar-toggle").click()
    await ana.page.keyboard.press("Escape")
    await expect(ana.page.locator("#sidebar")).to_be_hidden()
    assert await focused(ana, ".sidebar-toggle")
    assert ana.problems == []


async def test_a_group_is_called_by_its_handle_and_its_members_see_it(workspace: Running, browser: Browser) -> None:
    ana = await Screen.open(browser, workspace.url, ANA)
    tom = await Screen.open(browser, workspace.url, TOM)
    await tom.open_channel("general")
    await ana.find("composer").press_sequentially("@on")
    await expect(ana.find("suggestions")).to_contain_text("on-call")
    await ana.page.keyboard.press("Tab")
    await ana.page.keyboard.type("please look")
    await ana.page.keyboard.press("Enter")
    await expect(ana.message("please look").locator(".mention")).to_have_text("@on-call")
    await expect(tom.find("toast")).to_contain_text("Ana Silva called you in #support")
    await expect(tom.find("channel-support").locator(".ping-count")).to_have_text("@1")
    await tom.open_channel("support")
    mention = tom.message("please look").locator(".mention")
    await expect(mention).to_have_class(re.compile(r"\bme\b"))
    await expect(mention).to_have_attribute("data-group", ON_CALL)
    await expect(tom.find("channel-support").locator(".ping-count")).to_have_count(0)


async def test_the_bot_is_invited_by_a_command_and_a_channel_is_joined_by_a_click(
    workspace: Running, app: NightApp, browser: Browser
) -> None:
    ana = await Screen.open(browser, workspace.url, ANA)
    await ana.open_channel("warehouse")
    await ana.find("composer").press_sequentially("/inv")
    await expect(ana.find("suggestions")).to_contain_text("/invite")
    await ana.page.keyboard.press("Tab")
    await ana.page.keyboard.type("@Nightschool")
    await ana.page.keyboard.press("Escape")
    await ana.page.keyboard.press("Enter")
    await expect(ana.message("has joined the channel")).to_contain_text("@Nightschool has joined")
    ravi = await Screen.open(browser, workspace.url, "U0RAVI00001")
    await ravi.find("join-warehouse").click()
    await expect(ravi.find("conversation")).to_have_attribute("data-channel", WAREHOUSE)
    await expect(ravi.find("channel-warehouse")).to_have_attribute("aria-current", "page")
    await ravi.find("composer").fill("/leave")
    await ravi.page.keyboard.press("Enter")
    await expect(ravi.find("join-warehouse")).to_be_visible()
    await expect(ravi.find("conversation")).to_have_attribute("data-channel", SUPPORT)

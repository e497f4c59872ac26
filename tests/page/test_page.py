"""What people do in the page, in a real browser, with the real workspace and a real Bolt app behind it."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from deploy.workspace.server import Running, running
from tests.fixtures_workspace import ANA, MEI, RAVI, SUPPORT, Person, default_workspace
from tests.page.night_app import NightApp
from tests.page.screens import Screen

pytestmark = pytest.mark.slow


async def test_a_question_opens_its_thread_and_the_answer_streams_into_it(
    workspace: Running, app: NightApp, browser: Browser
) -> None:
    ana = await Screen.open(browser, workspace.url, ANA)
    await ana.post("@Nightschool how do I reset a password?")
    await expect(ana.find("status")).to_contain_text("is thinking…")
    await expect(ana.thread.locator(".message.streaming .caret")).to_be_visible()
    answer = await ana.in_thread("You can reset it yourself.")
    await expect(answer.locator("strong")).to_have_text("reset")
    await expect(answer.locator("td").last).to_have_text("30 min")
    await expect(answer.locator("pre code")).to_have_text("reset()\n")
    await expect(ana.find("status")).to_be_hidden()
    await expect(ana.find("replies", ana.message("how do I reset"))).to_contain_text("1 reply")
    await expect(ana.message("how do I reset").locator(".mention")).to_have_text("@Nightschool")
    assert ana.problems == []


async def test_a_thumb_down_asks_why_and_the_form_is_sent_in_slacks_shape(
    workspace: Running, app: NightApp, browser: Browser
) -> None:
    ana = await Screen.open(browser, workspace.url, ANA)
    await ana.open_messages()
    await ana.find("prompt").first.click()
    await ana.in_thread("You can reset it yourself.")
    await ana.feedback("negative")
    await expect(ana.find("feedback-negative")).to_have_attribute("aria-pressed", "true")
    await ana.modal.wait_for()
    await ana.submit()
    await expect(ana.find("field-error").first).to_have_text("Please complete this required field.")
    await ana.fill("What should it have said?", "No")
    await ana.submit()
    await expect(ana.find("field-error").first).to_have_text("Say a little more, please.")
    await ana.fill("What should it have said?", "The link lives 30 minutes.")
    await ana.choose("Colour", "Green")
    await ana.modal.locator("button.multi").click()
    await ana.page.locator(".picker").get_by_label("Blue").check()
    await ana.page.keyboard.press("Escape")
    await ana.modal.get_by_role("radiogroup").get_by_label("Red").check()
    await ana.modal.get_by_role("group", name="Some of").get_by_label("Green").check()
    await ana.choose("Who knows", "Ravi Nair")
    await ana.fill("Until", "2026-11-30")
    await ana.submit()
    await expect(ana.find("modal")).to_have_count(0)

    def picked(value: str) -> dict[str, object]:
        return {"text": {"type": "plain_text", "text": value.capitalize()}, "value": value}

    assert [vote["actions"][0]["value"] for vote in app.votes] == ["down"]
    assert app.submissions[-1] == {
        "why": {"text": {"type": "plain_text_input", "value": "The link lives 30 minutes."}},
        "short": {"text": {"type": "plain_text_input", "value": "old"}},
        "select": {"pick": {"type": "static_select", "selected_option": picked("green")}},
        "multi": {"pick": {"type": "multi_static_select", "selected_options": [picked("red"), picked("blue")]}},
        "radio": {"pick": {"type": "radio_buttons", "selected_option": picked("red")}},
        "checks": {"pick": {"type": "checkboxes", "selected_options": [picked("green")]}},
        "person": {"pick": {"type": "users_select", "selected_user": RAVI}},
        "day": {"pick": {"type": "datepicker", "selected_date": "2026-11-30"}},
    }
    assert ana.problems == []


async def test_a_view_pushed_on_a_form_gives_it_back_as_it_was(
    workspace: Running, app: NightApp, browser: Browser
) -> None:
    ana = await Screen.open(browser, workspace.url, ANA)
    await ana.post("@Nightschool how do I reset a password?")
    await ana.in_thread("You can reset it yourself.")
    await ana.feedback("negative")
    await ana.fill("What should it have said?", "half a sent")
    await ana.click("Add a source", ana.modal)
    await expect(ana.modal).to_contain_text("A source")
    await ana.fill("Where is it written?", "in the handbook")
    await ana.submit()
    await expect(ana.find("modal")).to_have_count(1)
    await expect(ana.modal.get_by_label("What should it have said?")).to_have_value("half a sent")
    await ana.click("Add a source", ana.modal)
    await expect(ana.find("modal")).to_have_count(2)
    await ana.page.keyboard.press("Escape")
    await expect(ana.find("modal")).to_have_count(0)
    assert app.submissions[-1]["url"]["text"]["value"] == "in the handbook"
    assert ana.problems == []


async def test_the_home_tab_is_published_and_its_buttons_work(
    workspace: Running, app: NightApp, browser: Browser
) -> None:
    mei = await Screen.open(browser, workspace.url, MEI)
    await mei.open_home()
    blocks = mei.find("home-blocks")
    await expect(blocks).to_contain_text("Pressed 0 times")
    await mei.click("Press me")
    await expect(blocks).to_contain_text("Pressed 1 times")
    await mei.click("Break it")
    await mei.find("confirm-deny").click()
    await expect(mei.find("confirm")).to_have_count(0)
    await mei.click("Break it")
    await mei.confirm()
    await expect(blocks).to_contain_text("Pressed 100 times")
    assert mei.problems == []


async def test_stop_ends_the_answer_and_keeps_what_was_said(
    workspace: Running, app: NightApp, browser: Browser
) -> None:
    app.reply, app.pace_s = "word " * 400, 0.05
    ana = await Screen.open(browser, workspace.url, ANA)
    await ana.post("@Nightschool go on for ever")
    await expect(ana.reply_with("word word")).to_be_visible()
    await ana.find("stop").click()
    await asyncio.wait_for(app.stopped.wait(), 5)
    await ana.in_thread("word word")
    await expect(ana.find("stop")).to_have_count(0)


async def test_one_click_makes_the_page_another_person(workspace: Running, browser: Browser) -> None:
    screen = await Screen.open(browser, workspace.url, ANA)
    await expect(screen.find("acting")).to_have_text("Ana Silva")
    await expect(screen.find("channel-nightschool-admins")).to_have_count(0)
    await screen.act_as(MEI)
    await expect(screen.find("acting")).to_have_text("Mei Tanaka")
    assert f"as={MEI}" in screen.page.url
    await screen.open_channel("nightschool-admins")
    await screen.post("Good morning")
    assert await screen.message("Good morning").get_attribute("data-author") == MEI
    await screen.act_as(ANA)
    await expect(screen.find("channel-nightschool-admins")).to_have_count(0)
    await expect(screen.find("conversation")).to_have_attribute("data-channel", SUPPORT)


async def test_two_windows_are_two_people(workspace: Running, browser: Browser) -> None:
    ana, ravi = await asyncio.gather(*(Screen.open(browser, workspace.url, who) for who in (ANA, RAVI)))
    await ravi.open_channel("general")
    await ana.post("Does anybody know?")
    await expect(ravi.find("channel-support").locator(".unread-count")).to_have_text("1")
    await ravi.open_channel("support")
    await expect(ravi.find("channel-support").locator(".unread-count")).to_have_count(0)
    await ana.post("It is urgent")
    await ravi.message("It is urgent").wait_for()
    await ravi.page.wait_for_timeout(1000)
    await ravi.open_channel("general")
    await ravi.page.reload()
    await expect(ravi.find("channel-general")).to_have_attribute("aria-current", "page")
    await expect(ravi.find("channel-support").locator(".unread-count")).to_have_count(0)
    await ravi.open_channel("support")
    await ravi.message("Does anybody know?").hover()
    await ravi.find("react", ravi.message("Does anybody know?")).click()
    await ravi.find("react-eyes").click()
    await expect(ana.find("reaction-eyes")).to_contain_text("1")
    await ana.find("reaction-eyes").click()
    await expect(ravi.find("reaction-eyes")).to_contain_text("2")
    await ravi.message("Does anybody know?").hover()
    await ravi.find("reply", ravi.message("Does anybody know?")).click()
    await ravi.reply("I do")
    await expect(ana.find("replies")).to_contain_text("1 reply")


async def test_ones_own_message_can_be_edited_and_deleted(workspace: Running, browser: Browser) -> None:
    ana = await Screen.open(browser, workspace.url, ANA)
    await ana.post("Is 1 < 2 & *true*?")
    await expect(ana.message("Is 1 < 2 & true?").locator("strong")).to_have_text("true")
    await ana.message("Is 1 < 2").hover()
    await ana.find("more", ana.message("Is 1 < 2")).click()
    await ana.find("edit").click()
    await expect(ana.find("edit-field")).to_have_value("Is 1 < 2 & *true*?")
    await ana.find("edit-field").fill("Is 1 < 3?")
    await ana.find("edit-save").click()
    await expect(ana.message("Is 1 < 3?")).to_contain_text("(edited)")
    await ana.message("Is 1 < 3?").hover()
    await ana.find("more", ana.message("Is 1 < 3?")).click()
    await ana.find("delete").click()
    await ana.confirm()
    await expect(ana.find("message")).to_have_count(0)


async def test_shortcuts_and_commands_reach_the_app(workspace: Running, app: NightApp, browser: Browser) -> None:
    ana = await Screen.open(browser, workspace.url, ANA)
    await ana.post("The printer is on fire")
    await ana.message("printer").hover()
    await ana.find("more", ana.message("printer")).click()
    await ana.find("shortcut-ask_about_message").click()
    await ana.open_thread("printer")
    await ana.in_thread("You asked about: The printer is on fire")
    await ana.close_thread()
    await ana.find("composer").press_sequentially("/a")
    await expect(ana.find("suggestions")).to_contain_text("/ask")
    await ana.page.keyboard.press("Tab")
    await ana.page.keyboard.type("why?")
    await ana.page.keyboard.press("Enter")
    private = ana.message("Only you asked: why?")
    await expect(private).to_contain_text("Only visible to you")
    await ana.find("dismiss", private).click()
    await expect(private).to_have_count(0)
    await ana.find("composer").fill("/nonsense")
    await ana.page.keyboard.press("Enter")
    await expect(ana.find("toast")).to_contain_text("/nonsense is not a command")


async def test_the_keyboard_is_enough(workspace: Running, app: NightApp, browser: Browser) -> None:
    ana = await Screen.open(browser, workspace.url, ANA)
    await ana.find("composer").press_sequentially("@nig")
    await ana.page.keyboard.press("Enter")
    await expect(ana.find("composer")).to_have_value("@Nightschool ")
    await ana.page.keyboard.type("one")
    await ana.page.keyboard.press("Shift+Enter")
    await ana.page.keyboard.type("two")
    await ana.page.keyboard.press("Enter")
    await ana.in_thread("You can reset it yourself.")
    await expect(ana.message("one").locator("br")).to_have_count(1)
    await ana.find("feedback-negative").focus()
    await ana.page.keyboard.press("Enter")
    await ana.modal.wait_for()
    inside = "document.querySelector('dialog.modal').contains(document.activeElement)"
    assert await ana.page.evaluate(inside)
    for key in ["Tab"] * 30 + ["Shift+Tab"] * 30:
        await ana.page.keyboard.press(key)
        assert await ana.page.evaluate(inside)
    await ana.page.keyboard.press("Escape")
    await expect(ana.find("modal")).to_have_count(0)
    await ana.page.keyboard.press("Escape")
    await expect(ana.thread).to_have_count(0)


HOSTILE = (
    "<script>window.hacked=1</script><img src=x onerror=window.hacked=2>"
    '<https://a.example/"onmouseover="window.hacked=3|<svg onload=window.hacked=4>> '
    "[x](javascript:window.hacked=5) ![y](https://evil.example/pixel.png) "
    "<iframe srcdoc='<script>top.hacked=6</script>'>"
)


async def test_hostile_text_stays_text(workspace: Running, app: NightApp, browser: Browser) -> None:
    app.reply = HOSTILE
    ana = await Screen.open(browser, workspace.url, ANA)
    await ana.post(f"@Nightschool {HOSTILE}")
    answer = await ana.in_thread("window.hacked=1")
    await expect(ana.find("feedback-negative", answer)).to_be_visible()
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": HOSTILE[:150]}},
        {"type": "section", "text": {"type": "mrkdwn", "text": HOSTILE}},
        {"type": "image", "image_url": "https://evil.example/pixel.png", "alt_text": HOSTILE},
    ]
    await app.client.chat_postMessage(channel=SUPPORT, text="hostile", blocks=blocks)
    await expect(ana.find("messages").locator(".block-image a")).to_have_attribute(
        "href", "https://evil.example/pixel.png"
    )
    await ana.page.wait_for_timeout(300)
    assert await ana.page.evaluate("window.hacked") is None
    live = "script:not([src]), .message img:not(.avatar), iframe, svg[onload], [onmouseover], [onerror]"
    assert await ana.page.locator(f"body :is({live})").count() == 0
    assert ana.problems == []


async def test_the_page_comes_back_after_the_workspace_was_restarted(tmp_path: Path, browser: Browser) -> None:
    async with running(default_workspace(tmp_path)) as before:
        url, port = before.url, int(before.url.rsplit(":", 1)[1])
        ana = await Screen.open(browser, url, ANA)
        await ana.post("before")
        await expect(ana.message("before")).to_be_visible()
    await expect(ana.find("banner")).to_contain_text("lost")
    await ana.find("composer").fill("meanwhile")
    await ana.find("composer").press("Enter")
    await expect(ana.find("toast")).to_contain_text("does not answer")
    await expect(ana.find("composer")).to_have_value("meanwhile")
    async with running(default_workspace(tmp_path), port):
        async with Person(url, RAVI) as ravi:
            await ravi.post(SUPPORT, "after")
        await expect(ana.message("after")).to_be_visible()
        await expect(ana.message("before")).to_be_visible()
        await expect(ana.find("banner")).not_to_contain_text("lost")


async def test_the_page_says_when_no_app_is_connected(workspace: Running, browser: Browser) -> None:
    ana = await Screen.open(browser, workspace.url, ANA)
    await expect(ana.find("banner")).to_contain_text("Nightschool is not connected")
    async with NightApp(workspace).connected():
        await expect(ana.find("banner")).to_be_hidden()
    await expect(ana.find("banner")).to_contain_text("Nightschool is not connected")


async def test_a_newcomer_is_told_what_to_try(workspace: Running, browser: Browser) -> None:
    ana = await Screen.open(browser, workspace.url, ANA)
    await expect(ana.find("guide").locator("ol li").first).to_contain_text("As Ana")
    await ana.find("guide").locator("code").first.click()
    await expect(ana.find("composer")).to_have_value(re.compile(r"^@Nightschool .+\?$"))
    await ana.find("guide-done").click()
    await expect(ana.find("guide")).to_have_count(0)
    await ana.page.reload()
    await ana.find("conversation").wait_for()
    await expect(ana.find("guide")).to_have_count(0)
    await ana.find("help").click()
    await expect(ana.find("guide")).to_be_visible()


async def test_a_permalink_opens_its_thread(workspace: Running, app: NightApp, browser: Browser) -> None:
    async with Person(workspace, RAVI) as ravi:
        root = await ravi.post(SUPPORT, "the root")
    link = await app.client.chat_getPermalink(channel=SUPPORT, message_ts=root)
    ana = await Screen.open(browser, workspace.url, ANA)
    await ana.page.goto(str(link["permalink"]))
    await expect(ana.reply_with("the root")).to_be_visible()

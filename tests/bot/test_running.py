import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import app as bot_app
from bot import socket_mode
from bot.home import watching
from store import nights
from store.errors import BadInput
from store.settings import Settings
from store.words import Stage
from tests.bot.conftest import RunningBot
from tests.fixtures_workspace import Person


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"slack_bot_token": None}, "There is no bot token"),
        ({"slack_app_token": None}, "There is no app-level token"),
        ({"slack_bot_token": SecretStr("xoxb-wrong")}, "refused the bot token .invalid_auth"),
        ({"slack_app_token": SecretStr("xapp-wrong")}, "refused the app-level token"),
        ({"slack_api_url": "http://127.0.0.1:9/api/"}, "cannot be reached"),
    ],
)
async def test_a_start_that_cannot_work_says_what_to_do(
    bot_settings: Settings, changes: dict[str, object], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_mode, "CONNECT_TIMEOUT_S", 2.0)
    with pytest.raises(BadInput, match=said):
        await bot_app._run(bot_settings.model_copy(update=changes))
    assert not bot_settings.bot_ready_file.exists()


async def test_loopback_is_reached_without_the_machine_s_proxies(
    bot_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    running = asyncio.create_task(bot_app._run(bot_settings))
    for _ in range(200):
        if Path(bot_settings.bot_ready_file).exists():
            break
        await asyncio.sleep(0.02)
    assert bot_settings.bot_ready_file.exists()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not bot_settings.bot_ready_file.exists()


async def test_an_admin_s_home_follows_a_running_night(
    bot: RunningBot, mei: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "REFRESH_EVERY_S", 0.05)
    following = asyncio.create_task(watching.keep_current(bot.services))
    await mei.open_home()
    await mei.wait_for(lambda event: event["type"] == "home")
    with bot.store.writing() as session:
        night = nights.request(session, mei.user_id)
        nights.begin(session, night.id or 0)
        nights.begin_stage(session, night.id or 0, Stage.TRAIN)
        nights.note(session, night.id or 0, Stage.TRAIN, {"step": 3, "steps": 40, "loss": 1.5, "seconds_left": 60})
    await mei.wait_for(lambda event: event["type"] == "home" and "step 3 of 40, loss 1.50" in str(event["view"]))
    following.cancel()

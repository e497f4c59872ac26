"""The page's tests run against the real workspace with a real Bolt app on its other side."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from deploy.workspace.server import Running
from tests.fixtures_workspace import workspace as workspace
from tests.page.night_app import NightApp
from tests.page.screens import chromium


@pytest.fixture
async def app(workspace: Running) -> AsyncIterator[NightApp]:
    """A Bolt app that is connected to the workspace."""
    async with NightApp(workspace).connected() as app:
        yield app


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium."""
    async with chromium() as browser:
        yield browser

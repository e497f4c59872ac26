"""Slash commands."""

import re

from slack_bolt.async_app import AsyncApp

from bot.listeners.commands import ask, nightschool, other


def register(app: AsyncApp) -> None:
    """Register the listeners of commands; the last one takes what no other does."""
    app.command("/ask")(ask.ask)
    app.command("/nightschool")(nightschool.nightschool)
    app.command(re.compile(".*"))(other.other)

"""Shortcuts in the menu of a message."""

import re

from slack_bolt.async_app import AsyncApp

from bot.listeners.shortcuts import ask_about_message, other


def register(app: AsyncApp) -> None:
    """Register the listeners of shortcuts; the last one takes what no other does."""
    app.shortcut("ask_about_message")(ask_about_message.ask_about_message)
    app.shortcut(re.compile(".*"))(other.other)

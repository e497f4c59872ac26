"""What Slack calls: events, actions, commands, shortcuts, views. One callback a file, one `register(app)` a folder."""

from slack_bolt.async_app import AsyncApp

from bot.listeners import actions, commands, events, shortcuts, views


def register(app: AsyncApp) -> None:
    """Register every listener; each takes what it needs from the `services` that a middleware provides."""
    for folder in (events, actions, commands, shortcuts, views):
        folder.register(app)

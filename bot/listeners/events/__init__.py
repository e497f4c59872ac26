"""Events: run from the inbox, never directly by Slack's call."""

import re

from slack_bolt.async_app import AsyncApp

from bot.listeners.events import (
    agent_session_stopped,
    app_home_opened,
    app_mention,
    app_uninstalled,
    member_joined_channel,
    message,
    other,
    reaction_added,
    reaction_removed,
    user_change,
)


def register(app: AsyncApp) -> None:
    """Register the listeners of events; the last one takes what no other does."""
    app.event("message")(message.message)
    app.event("app_mention")(app_mention.app_mention)
    app.event("app_home_opened")(app_home_opened.app_home_opened)
    app.event("agent_session_stopped")(agent_session_stopped.agent_session_stopped)
    app.event("reaction_added")(reaction_added.reaction_added)
    app.event("reaction_removed")(reaction_removed.reaction_removed)
    app.event("user_change")(user_change.user_change)
    app.event("member_joined_channel")(member_joined_channel.member_joined_channel)
    app.event("app_uninstalled")(app_uninstalled.app_uninstalled)
    app.event("tokens_revoked")(app_uninstalled.app_uninstalled)
    app.event(re.compile(".*"))(other.other)

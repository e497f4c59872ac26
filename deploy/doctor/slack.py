"""Slack: tokens that are there and accepted, with the scopes of the manifest; people who may review and administer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from deploy.doctor.finding import Finding
from store.duties import duties
from store.session import Store
from store.settings import Settings

MANIFEST = Path(__file__).parents[1] / "slack-manifest.yaml"
TIMEOUT_S = 10


def people(settings: Settings, store: Store) -> Iterator[Finding]:
    """Somebody may promote, somebody may review, and the card has a place."""
    with store.reading() as session:
        held = duties(session, settings)
    if not held.admins:
        yield Finding("people", "There is no admin.", "Set NIGHTSCHOOL_ADMINS to the Slack ids (U…) of at least one.")
    if not held.reviewers:
        yield Finding(
            "people", "There is no reviewer.", "Set NIGHTSCHOOL_REVIEWERS, or let an admin name some in Home."
        )
    if not settings.admin_channel:
        words = "There is no channel for the morning card, so nobody sees what a night came to."
        yield Finding("people", words, "Set NIGHTSCHOOL_ADMIN_CHANNEL to a channel's id (C…) and invite the bot to it.")


def tokens(settings: Settings, store: Store) -> Iterator[Finding]:
    """Slack takes the bot's token, and the token may do what the manifest asks for."""
    del store
    if settings.slack_bot_token is None:
        cure = "Set SLACK_BOT_TOKEN (xoxb-…) from your app's page “Install App”; docs/slack.md has the five steps."
        yield Finding("Slack", "There is no bot token.", cure)
        return
    if settings.slack_app_token is None and settings.http_port is None:
        cure = "Set SLACK_APP_TOKEN (xapp-…, with connections:write), or NIGHTSCHOOL_HTTP_PORT for HTTP mode."
        yield Finding("Slack", "There is no app token, which Socket Mode needs.", cure)
    client = WebClient(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, timeout=TIMEOUT_S)
    try:
        known = client.auth_test()
    except SlackApiError as error:
        words = f"Slack refuses the bot token: {error.response.get('error')}."
        yield Finding(
            "Slack", words, "Copy the token anew from your app's page “Install App”; reinstall it if need be."
        )
        return
    except OSError as error:
        words = f"Slack at {settings.slack_api_url} cannot be reached: {error}."
        yield Finding("Slack", words, "Check the network, the proxy, and SLACK_API_URL.")
        return
    if missing := _missing(known.headers):
        words = f"The bot token lacks the scopes {', '.join(missing)}."
        yield Finding("Slack", words, "Give your app the manifest of deploy/slack-manifest.yaml, and install it again.")


def _missing(headers: Any) -> list[str]:
    given = {name.lower(): value for name, value in dict(headers or {}).items()}.get("x-oauth-scopes")
    if not given:
        return []
    wanted = yaml.safe_load(MANIFEST.read_text())["oauth_config"]["scopes"]["bot"]
    return sorted(set(wanted) - {scope.strip() for scope in str(given).split(",")})

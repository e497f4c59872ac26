"""Opening and repainting the reviewer's modal, over Slack."""

import logging
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View

from bot import posting
from bot.metadata import ReviewFlow
from bot.services import Services
from store import review_claims

log = logging.getLogger(__name__)

MOVED_ON = {"hash_conflict", "not_found", "view_not_found"}


def in_modal(body: dict[str, Any]) -> bool:
    """Whether a click was made in a modal rather than in the Home tab."""
    return (body.get("view") or {}).get("type") == "modal"


async def open_flow(services: Services, body: dict[str, Any], view: View) -> None:
    """Open the modal of a click; the claim is given back where Slack refuses, as when the click is too old.

    Raises:
        SlackApiError: Slack refused.
    """
    try:
        await services.slack.views_open(trigger_id=body["trigger_id"], view=view)
    except SlackApiError:
        flow = ReviewFlow.load(view.private_metadata or "")
        await services.store.write(review_claims.release, flow.answer_id, str(body["user"]["id"]))
        raise


async def repaint(services: Services, body: dict[str, Any], view: View) -> None:
    """Show something else in the modal that was clicked in, unless it was closed or has moved on meanwhile."""
    clicked = body.get("view") or {}
    try:
        await services.slack.views_update(view_id=clicked.get("id"), hash=clicked.get("hash"), view=view)
    except SlackApiError as error:
        if posting.error_of(error) not in MOVED_ON:
            raise
        log.info("a modal was not repainted: %s", posting.error_of(error))

"""What is stored about a person and what they chose, gathered from the store, and shown again after a choice."""

from typing import Any

from slack_sdk.webhook.async_client import AsyncWebhookClient
from sqlmodel import Session

from bot.blocks.content import Content
from bot.blocks.privacy import Standing, standing
from bot.services import Services
from store import people
from store.duties import duties
from store.settings import Settings


async def of(services: Services, team_id: str, person_id: str) -> Content:
    """The answer to a person who asks what is stored about them."""
    stands = await services.store.read(_standing, services.settings, team_id, person_id)
    return standing(stands, services.settings.night)


def _standing(session: Session, settings: Settings, team_id: str, person_id: str) -> Standing:
    return Standing(
        kept=people.kept(session, person_id),
        person=people.get(session, team_id, person_id),
        named_in_settings=person_id in settings.night.opted_out,
        admins=sorted(duties(session, settings).admins),
    )


async def show_again(services: Services, body: dict[str, Any]) -> None:
    """Put what is stored and chosen now in the place of the message whose button was clicked."""
    team_id, person_id = str((body.get("team") or {}).get("id") or ""), str(body["user"]["id"])
    content = await of(services, team_id, person_id)
    webhook = AsyncWebhookClient(str(body.get("response_url") or ""), session=services.slack.session)
    await webhook.send(text=content.text, blocks=content.blocks, response_type="ephemeral", replace_original=True)

"""`reaction_removed`: a vote that was given as a reaction is taken back."""

from typing import Any

from bot import voting
from bot.services import Services


async def reaction_removed(event: dict[str, Any], services: Services) -> None:
    """Take the vote back."""
    await voting.retract_by_reaction(services, event)

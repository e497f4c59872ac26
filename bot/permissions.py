"""Who may do what: checked here, on the server, at every action, against the store as it is at that moment."""

from bot import identities
from bot.services import Services
from store.duties import Duties, duties
from store.errors import NotAllowed


async def require_admin(services: Services, person_id: str) -> None:
    """Let only admins pass.

    Raises:
        NotAllowed: anyone else; the message says whom to ask.
    """
    held = await services.store.read(duties, services.settings)
    if person_id not in held.admins or not await _is_ours(services, person_id):
        raise NotAllowed(f"Only admins may do this. {await _whom_to_ask(services, held)}Nothing was changed.")


async def require_reviewer(services: Services, person_id: str) -> None:
    """Let only reviewers and admins pass.

    Raises:
        NotAllowed: anyone else; the message says whom to ask.
    """
    held = await services.store.read(duties, services.settings)
    if person_id not in held.reviewers or not await _is_ours(services, person_id):
        raise NotAllowed(f"Only reviewers may do this. {await _whom_to_ask(services, held)}Nothing was changed.")


async def _is_ours(services: Services, person_id: str) -> bool:
    # Whoever the lists name: nobody decides here who is of another workspace, deactivated, or a program.
    return await identities.kind_of(services, person_id) in identities.PEOPLE_OF_OURS


async def _whom_to_ask(services: Services, held: Duties) -> str:
    able = [admin for admin in sorted(held.admins) if await _is_ours(services, admin)]
    return f"Ask {' or '.join(f'<@{admin}>' for admin in able[:3])} for the role. " if able else ""

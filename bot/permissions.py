"""Who is a reviewer and who is an admin: checked here, on the server, at every action."""

from store.errors import NotAllowed
from store.settings import Settings


def is_admin(settings: Settings, person_id: str) -> bool:
    """Whether this person may promote, roll back and start a night."""
    return bool(person_id) and person_id in settings.admins


def is_reviewer(settings: Settings, person_id: str) -> bool:
    """Whether this person may decide on answers; admins may too."""
    return bool(person_id) and (person_id in settings.reviewers or is_admin(settings, person_id))


def require_admin(settings: Settings, person_id: str) -> None:
    """Let only admins pass.

    Raises:
        NotAllowed: anyone else; the message says whom to ask.
    """
    if not is_admin(settings, person_id):
        raise NotAllowed(f"Only admins may do this. {_whom_to_ask(settings.admins)}Nothing was changed.")


def require_reviewer(settings: Settings, person_id: str) -> None:
    """Let only reviewers and admins pass.

    Raises:
        NotAllowed: anyone else; the message says whom to ask.
    """
    if not is_reviewer(settings, person_id):
        raise NotAllowed(f"Only reviewers may do this. {_whom_to_ask(settings.admins)}Nothing was changed.")


def _whom_to_ask(admins: list[str]) -> str:
    return f"Ask {' or '.join(f'<@{admin}>' for admin in admins[:3])} for the role. " if admins else ""

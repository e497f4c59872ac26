"""An admin tries a version: for an hour their direct messages are answered by it, marked, and counted for nothing."""

from dataclasses import asdict, dataclass

from sqlmodel import Session

from bot import home, posting, telling
from bot.blocks.home.versions import named
from bot.blocks.trial import trial_began
from bot.inbox import TRY
from bot.posting import Place
from bot.services import Services
from serving import rollout
from store import adapters
from store.errors import BadInput, NightschoolError
from store.inbox import Arrival
from store.words import AdapterState


@dataclass(frozen=True)
class Wish:
    """An admin's wish to try a version; `key` names the click."""

    key: str
    person_id: str
    adapter: str


async def wish(services: Services, person_id: str, name: str, click: str) -> None:
    """Store the wish: loading the version may take longer than a click may last.

    Raises:
        NotFound: there is no such version.
        BadInput: it was rejected, or answers everybody already.
    """
    await services.store.read(_check, name)
    wanted = Wish(f"try/{person_id}/{name}/{click}", person_id, name)
    await services.inbox.keep(Arrival(wanted.key, TRY, asdict(wanted)))


def _check(session: Session, name: str) -> None:
    if adapters.get(session, name).state == AdapterState.REJECTED:
        raise BadInput(f"Version {named(name)} was rejected and cannot be tried.")
    if name == adapters.production(session):
        raise BadInput(f"Version {named(name)} answers everybody already, so there is nothing to try.")


async def carry_out(services: Services, wanted: Wish, attempt: int) -> None:
    """Load the version, begin the trial, and tell the admin in their direct message; a failure too."""
    try:
        trial = await rollout.try_out(services.store, services.fleet, wanted.adapter, wanted.person_id)
    except NightschoolError as error:
        await telling.message_person(services, wanted.person_id, f"{wanted.adapter} cannot be tried: {error}")
        return
    opened = await services.slack.conversations_open(users=wanted.person_id)
    place = Place(str(opened["channel"]["id"]))
    content = trial_began(wanted.adapter, trial.until)
    await posting.post_once(services, place, content, wanted.key, again=attempt > 1)
    await home.publish(services, wanted.person_id)

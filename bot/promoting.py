"""Promote and roll back: the wish is stored at the click, shown at once, and carried out from the inbox."""

import logging
from dataclasses import asdict, dataclass

from sqlmodel import Session

from bot import cards, home, telling
from bot.inbox import MOVE
from bot.services import Services
from serving import rollout
from store import adapters, evaluations
from store.errors import BadInput, NightschoolError
from store.inbox import Arrival
from store.tables import BASE
from store.words import AdapterState, PromotionKind

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Move:
    """An admin's wish: to promote `adapter`, or to roll back from `seen`, what production was at the click."""

    kind: str
    adapter: str
    seen: str
    person_id: str
    reason: str = ""

    @property
    def words(self) -> str:
        """What is going on, for those who wait."""
        return f"Promoting {self.adapter} …" if self.kind == PromotionKind.PROMOTE else f"Rolling back {self.seen} …"


def promotion(session: Session, name: str, person_id: str, reason: str = "") -> Move:
    """The wish to promote a version.

    Raises:
        NotFound: there is no such version.
        BadInput: it answers already, was rejected, or goes against the evidence without a reason.
    """
    check_promotable(session, name)
    evaluations.check_note(session, name, reason)
    return Move(PromotionKind.PROMOTE, name, adapters.production(session), person_id, reason)


def check_promotable(session: Session, name: str) -> None:
    """Nothing but the evidence may stand against promoting a version.

    Raises:
        NotFound: there is no such version.
        BadInput: it answers already, or was rejected.
    """
    if adapters.get(session, name).state == AdapterState.REJECTED:
        raise BadInput(f"Version {name} was rejected and cannot be promoted.")
    if name == adapters.production(session):
        raise BadInput(f"Version {name} answers in production already.")


def rollback(session: Session, seen: str, person_id: str, reason: str = "") -> Move:
    """The wish to go back from the version that the person saw in production.

    Raises:
        BadInput: production has moved since, or there is nothing to go back to.
    """
    present = adapters.production(session)
    if present != seen:
        raise BadInput(f"Production has moved to {_named(present)} meanwhile. Look at it and decide again.")
    earlier = adapters.earlier(session)
    if not earlier:
        raise BadInput("There is nothing to roll back to: no other version has answered in production before.")
    return Move(PromotionKind.ROLLBACK, earlier[0], seen, person_id, reason)


async def wish(services: Services, move: Move, click_key: str) -> None:
    """Store a wish, to be carried out soon, and show everywhere that it is being done."""
    await services.inbox.keep(Arrival(f"move/{move.kind}/{move.adapter}/{click_key}", MOVE, asdict(move)))


async def show_busy(services: Services, move: Move) -> None:
    """Take the buttons away and say what is going on."""
    await cards.refresh_of_versions(services, _versions_of(move), busy=move.words)
    await home.publish(services, move.person_id, busy=move.words)


async def carry_out(services: Services, move: Move) -> None:
    """Move production, then show the result and who did it; a failure is said in words, and the buttons come back."""
    trouble = ""
    try:
        await _move(services, move)
    except NightschoolError as error:
        trouble = str(error)
        log.warning("%s by %s failed: %s", move.words, move.person_id, trouble)
    await cards.refresh_of_versions(services, _versions_of(move), trouble=trouble)
    await home.publish(services, move.person_id, trouble=trouble)
    if not trouble:
        await telling.message_person(services, move.person_id, await _result(services, move))


async def _move(services: Services, move: Move) -> None:
    present = await services.store.read(adapters.production)
    if present == move.adapter:
        # Carried out before a crash, or by a second click.
        return
    if present != move.seen:
        raise BadInput(f"Production has moved to {_named(present)} meanwhile. Look at it and decide again.")
    if move.kind == PromotionKind.PROMOTE:
        compared = await services.store.read(evaluations.of_candidate, move.adapter)
        evidence = compared.id if compared else None
        await rollout.promote(services.store, services.fleet, move.adapter, move.person_id, move.reason, evidence)
    else:
        await rollout.rollback(services.store, services.fleet, move.person_id, move.reason)


async def _result(services: Services, move: Move) -> str:
    present = await services.store.read(adapters.production)
    return f"{_named(present).capitalize() if present == BASE else present} answers every new question from now on."


def _versions_of(move: Move) -> list[str]:
    return [name for name in (move.adapter, move.seen) if name != BASE]


def _named(name: str) -> str:
    return "the base model" if name == BASE else name

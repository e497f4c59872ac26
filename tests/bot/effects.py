"""What an act has done, seen from outside: in the store, in the channels, in people's own views."""

import asyncio
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlmodel
from sqlalchemy import select
from sqlmodel import SQLModel, col

from bot.identities import ANOTHER_WORKSPACE
from deploy.workspace.server import Running
from store import outbox
from store.tables import InboxEvent
from store.words import InboxState
from tests.bot.conftest import RunningBot

Json = dict[str, Any]
NO = re.compile(rf"Only (\w+ ){{1,6}}may|{re.escape(ANOTHER_WORKSPACE[:40])}|nothing to explain|belongs to another")
"""How the bot says that somebody may not do something."""

VOLATILE = {"inbox_event", "lease", "alembic_version"}
CHANGING_COLUMNS = {"attempts", "error", "updated_at", "sent_at", "state"}


class Effect(StrEnum):
    """The letters of the tables."""

    DOES = "D"
    TOLD_NO = "t"
    NOTHING = "."


@dataclass(frozen=True)
class Snapshot:
    """Everything that an act could have changed."""

    store: frozenset[str]
    public: frozenset[str]
    private: frozenset[str]

    def effect_of(self, after: "Snapshot", answer: Json | None = None) -> Effect:
        """What happened between this moment and another one; `answer` is what the acknowledgement carried."""
        news = after.private - self.private
        if answer and (answer.get("text") or answer.get("view")):
            news |= {json.dumps(answer)}
        if after.store != self.store or after.public != self.public or any(not NO.search(text) for text in news):
            return Effect.DOES
        return Effect.TOLD_NO if news else Effect.NOTHING


def snapshot(bot: RunningBot, workspace: Running) -> Snapshot:
    """The store's rows, the messages that all see, and what single people were shown."""
    return Snapshot(frozenset(_rows(bot)), frozenset(_messages(workspace, "")), frozenset(_private(workspace)))


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


def _messages(workspace: Running, viewers: str) -> list[str]:
    sign = "=" if not viewers else "!="
    query = f"SELECT channel, ts, viewer, body FROM message WHERE viewer {sign} ''"
    found = workspace.workspace.storage._db.execute(query).fetchall()
    return [f"{channel} {ts} {viewer} {_said(json.loads(body))}" for channel, ts, viewer, body in found]


def _said(message: Json) -> str:
    return json.dumps([message.get("text"), message.get("blocks"), message.get("files")])


def _private(workspace: Running) -> list[str]:
    modals = [
        f"{user_id} {view['id']} {json.dumps(view['blocks'])}"
        for user_id, stack in workspace.workspace.modals.stacks.items()
        for view in stack
    ]
    homes = workspace.workspace.storage._db.execute("SELECT id, body FROM record WHERE kind = 'home'").fetchall()
    shown = [f"{user_id} {json.dumps(json.loads(body)['hash'])}" for user_id, body in homes]
    return [*_messages(workspace, "all"), *modals, *shown]


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

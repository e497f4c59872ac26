"""What was said and uploaded, in one SQLite file, so that it survives a restart."""

import json
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from .clock import padded
from .wire import Json

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    channel TEXT NOT NULL, ts TEXT NOT NULL,
    root TEXT NOT NULL,    -- ts of the thread's first message, or its own
    top INTEGER NOT NULL,  -- shown in the channel, not only in a thread
    viewer TEXT NOT NULL,  -- the one person who sees an ephemeral message, else ''
    body TEXT NOT NULL, PRIMARY KEY (channel, ts));
CREATE INDEX IF NOT EXISTS message_thread ON message (channel, root, ts);
CREATE TABLE IF NOT EXISTS record (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id));
"""
NEVER = "9999999999.999999"


@dataclass(frozen=True)
class Span:
    """A stretch of time in `ts` strings, as history calls give it."""

    oldest: str = "0"
    latest: str = NEVER
    inclusive: bool = False

    @property
    def condition(self) -> str:
        """The SQL condition, with the two bounds as its parameters."""
        return "ts >= ? AND ts <= ?" if self.inclusive else "ts > ? AND ts < ?"

    @property
    def bounds(self) -> tuple[str, str]:
        """Both ends, padded so that they compare as text."""
        return padded(self.oldest), padded(self.latest)


ALWAYS = Span()


class Storage:
    """The messages of every channel and the few other records: settings, homes, files and read marks."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self.uploads = folder / "uploads"
        self.uploads.mkdir(exist_ok=True)
        self._db = sqlite3.connect(folder / "workspace.db", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Close the file; nothing may be called after."""
        self._db.close()

    def last_ts(self) -> str | None:
        """The newest `ts` of all, so that the clock goes on from there."""
        found: tuple[str | None] = self._db.execute("SELECT max(ts) FROM message").fetchone()
        return found[0]

    def put_message(self, message: Json, viewer: str = "") -> None:
        """Insert or replace a message; an ephemeral one names its only viewer."""
        root = message.get("thread_ts") or message["ts"]
        top = root == message["ts"] or message.get("subtype") == "thread_broadcast"
        row = (message["channel"], message["ts"], root, top, viewer, json.dumps(message))
        self._db.execute("INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?)", row)

    def message(self, channel: str, ts: str, viewer: str = "") -> Json | None:
        """One message, or None; ephemeral ones are seen by their viewer only."""
        query = "SELECT body FROM message WHERE channel = ? AND ts = ? AND viewer IN ('', ?)"
        found = self._db.execute(query, (channel, ts, viewer)).fetchone()
        return None if found is None else _loaded(found)

    def delete_message(self, channel: str, ts: str) -> None:
        """Forget a message."""
        self._db.execute("DELETE FROM message WHERE channel = ? AND ts = ?", (channel, ts))

    def history(self, channel: str, span: Span = ALWAYS, limit: int = 1000, viewer: str = "") -> list[Json]:
        """The messages shown in a channel itself, newest first."""
        query = f"SELECT body FROM message WHERE channel = ? AND top AND viewer IN ('', ?) AND {span.condition}"  # noqa: S608  # nosec B608
        rows = self._db.execute(f"{query} ORDER BY ts DESC LIMIT ?", (channel, viewer, *span.bounds, limit))
        return [_loaded(row) for row in rows]

    def thread(self, channel: str, root: str, span: Span = ALWAYS, viewer: str = "") -> list[Json]:
        """A thread's first message and its replies, oldest first."""
        query = f"SELECT body FROM message WHERE channel = ? AND root = ? AND viewer IN ('', ?) AND {span.condition}"  # noqa: S608  # nosec B608
        rows = self._db.execute(f"{query} ORDER BY ts", (channel, root, viewer, *span.bounds))
        return [_loaded(row) for row in rows]

    def settle_streams(self) -> None:
        """Mark messages whose stream was cut off by a stop of the workspace."""
        self._db.execute(
            "UPDATE message SET body = json_set(body, '$.streaming_state', 'errored')"
            " WHERE json_extract(body, '$.streaming_state') = 'in_progress'"
        )

    def unread(self, channel: str, viewer: str) -> int:
        """How many messages of others came after the viewer last looked at the channel."""
        seen = self.record("read", f"{viewer}:{channel}")
        query = (
            "SELECT count(*) FROM message WHERE channel = ? AND ts > ? AND viewer IN ('', ?)"
            " AND json_extract(body, '$.user') IS NOT ?"
        )
        since = "" if seen is None else seen["ts"]
        count: tuple[int] = self._db.execute(query, (channel, since, viewer, viewer)).fetchone()
        return count[0]

    def mark_read(self, channel: str, viewer: str) -> None:
        """The viewer has seen all that is in the channel now."""
        newest = self._db.execute("SELECT max(ts) FROM message WHERE channel = ?", (channel,)).fetchone()[0]
        if newest is not None:
            self.put_record("read", f"{viewer}:{channel}", {"ts": newest})

    def record(self, kind: str, id: str) -> Json | None:
        """One record of a kind, or None."""
        found = self._db.execute("SELECT body FROM record WHERE kind = ? AND id = ?", (kind, id)).fetchone()
        return None if found is None else _loaded(found)

    def put_record(self, kind: str, id: str, body: Json) -> None:
        """Insert or replace a record."""
        self._db.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", (kind, id, json.dumps(body)))

    def secret(self, name: str, prefix: str = "") -> str:
        """A random secret, made at its first use and kept: tokens stay valid across restarts."""
        kept = self.record("secret", name)
        if kept is None:
            kept = {"value": prefix + secrets.token_hex(16)}
            self.put_record("secret", name, kept)
        return str(kept["value"])


def _loaded(row: tuple[str]) -> Json:
    body: Json = json.loads(row[0])
    return body

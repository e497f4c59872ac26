"""The folder of documents: what is new, changed or gone in it is brought into the store.

A file directly in the folder, or in a subfolder with any other name, is everybody's; in a subfolder named like a
channel's id (`C0123ABCD`) it is that channel's alone. A `.jsonl` file is a list of documents, one a line, with `title`
and `text`, and where people read it in `url`.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urljoin

from store.artifacts import write_bytes
from store.errors import BadInput
from store.knowledge import library
from store.knowledge.documents import READERS, ReadDocument, Section, read
from store.knowledge.library import Found
from store.knowledge.passages import cut
from store.session import Store

CHANNEL = re.compile(r"[CG][A-Z0-9]{7,15}")
LIST = ".jsonl"
KINDS = (*READERS, LIST)


@dataclass
class Changes:
    """What a look at the folder came to: sources put in place, sources gone, and why some could not be read."""

    put: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


def update(store: Store, folder: Path, base_url: str = "", say: Callable[[str], None] = lambda _: None) -> Changes:
    """Bring the store up to date with the folder; a file that cannot be read is noted and stops nothing else.

    Without a folder nothing changes: another machine may have it. `base_url` is where the folder's files are published.
    """
    changes = Changes()
    if not folder.is_dir():
        return changes
    with store.reading() as session:
        known = {row.source: (row.sha256, row.url) for row in library.documents(session)}
    seen: set[str] = set()
    for path in files(folder):
        for found in _read(path, folder, base_url, known):
            seen.add(found.source)
            if known.get(found.source) == (found.sha256, found.url):
                continue
            with store.writing() as session:
                library.put(session, found)
            if found.problem:
                changes.problems[found.source] = found.problem
            else:
                changes.put.append(found.source)
            say(found.source)
    for source in sorted(set(known) - seen):
        with store.writing() as session:
            library.remove(session, source)
        changes.removed.append(source)
    return changes


def files(folder: Path) -> list[Path]:
    """The documents in a folder and below it, in the order of their names; hidden ones are left out."""
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place, name) for name in sorted(names) if Path(name).suffix.lower() in KINDS and name[0] != "."]
    return found


def add(paths: Sequence[Path], folder: Path, channel: str = "") -> list[str]:
    """Copy files, or all documents of folders, into the folder; their sources.

    Raises:
        BadInput: one does not exist, is of no kind that can be read, or the channel is no id.
    """
    if channel and not CHANNEL.fullmatch(channel):
        raise BadInput(
            f"{channel} is no channel's id: it looks like C0123ABCD, and stands below the channel's details."
        )
    wanted: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise BadInput(f"There is no {path}.")
        for file in files(path) if path.is_dir() else [path]:
            if file.suffix.lower() not in KINDS:
                raise BadInput(f"{file} is no document that I can read: I know {', '.join(sorted(KINDS))}.")
            place = Path(path.name, file.relative_to(path)) if path.is_dir() else Path(file.name)
            wanted[file] = folder / channel / place
    for file, target in wanted.items():
        write_bytes(target, file.read_bytes())
    return [target.relative_to(folder).as_posix() for target in wanted.values()]


def take_out(source: str, folder: Path) -> None:
    """Delete a document's file from the folder.

    Raises:
        BadInput: there is none, or it is a line of a list.
    """
    path = (folder / source).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        listed = f" Take its line out of {source.split('#')[0]} instead." if "#" in source else ""
        raise BadInput(f"There is no {source} in {folder}.{listed}")
    path.unlink()


def channel_of(source: str) -> str:
    """The channel that alone may see a source; empty for everybody."""
    first, _, rest = source.partition("/")
    return first if rest and CHANNEL.fullmatch(first) else ""


def _read(path: Path, folder: Path, base_url: str, known: dict[str, tuple[str, str]]) -> Iterator[Found]:
    source = path.relative_to(folder).as_posix()
    channel = channel_of(source)
    url = urljoin(base_url, quote(source)) if base_url and not channel else ""
    sha256 = ""
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        if path.suffix.lower() == LIST:
            yield from _listed(path, source, channel)
        elif known.get(source) == (sha256, url):
            yield Found(source, "", sha256, channel_id=channel, url=url)
        else:
            document = read(path)
            yield Found(source, document.title, sha256, cut(document), channel, url)
    except (BadInput, OSError, UnicodeError) as error:
        yield Found(source, path.stem, sha256, channel_id=channel, url=url, problem=str(error))


def _listed(path: Path, source: str, channel: str) -> Iterator[Found]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            title, text, url = str(row["title"]), str(row["text"]), str(row.get("url") or "")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(
                f'{path}, line {number}: a line is {{"title": …, "text": …}} and may have "url" ({error}).'
            ) from error
        paragraphs = [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
        document = ReadDocument(title, [Section("", paragraphs)])
        sha256 = hashlib.sha256(line.encode()).hexdigest()
        yield Found(f"{source}#{number}", title, sha256, cut(document), channel, url)

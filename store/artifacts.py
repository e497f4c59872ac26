"""Files and folders written whole or not at all, with their sha256."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
CHUNK_BYTES = 1 << 20

TEMPORARY = ".writing-"
"""What files and folders are called until they are whole."""


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves either the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        _sync_folder(path.parent)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, whole or not at all."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode())


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which appears under `path` only when the block ends well; it is read-only from then on.

    Raises:
        FileExistsError: something is already there; published folders are never overwritten.
    """
    if path.exists():
        raise FileExistsError(f"{path} exists already and is never overwritten")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=TEMPORARY))
    try:
        yield temporary
        for file in sorted(temporary.rglob("*")):
            if file.is_file():
                with file.open("rb+") as handle:
                    os.fsync(handle.fileno())
                file.chmod(0o444)
        _sync_folder(temporary)
        temporary.rename(path)
        path.chmod(0o555)
        _sync_folder(path.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


@contextmanager
def rewriting(folder: Path) -> Iterator[None]:
    """Let a published folder be changed within the block; for erasure alone, since published folders never change."""
    folder.chmod(0o755)
    try:
        yield
    finally:
        for file in folder.iterdir():
            file.chmod(0o444)
        folder.chmod(0o555)
        _sync_folder(folder)


def sweep(folder: Path) -> None:
    """Remove what processes that died in between left unfinished directly in a folder; nobody may be writing there."""
    for leftover in folder.glob(f"{TEMPORARY}*"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def discard(folder: Path) -> None:
    """Remove a published folder, read-only as it is, if it is there; only for one that no row refers to."""
    if folder.exists():
        folder.chmod(0o755)
        shutil.rmtree(folder)


def folder_manifest(folder: Path) -> dict[str, str]:
    """File name to sha256 for every file directly in a folder, but the manifest itself."""
    return {file.name: sha256_of(file) for file in sorted(folder.iterdir()) if file.is_file() and file.name != MANIFEST}


def manifest_sha256(manifest: dict[str, str]) -> str:
    """One sha256 for a whole folder: of its manifest in canonical form."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()

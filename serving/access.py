"""How the model servers are reached: their addresses, the key, and one HTTP connection pool for each."""

import os
import secrets
from pathlib import Path

import httpx2

from store.artifacts import write_bytes
from store.errors import BadInput
from store.settings import Settings

UNIX = "unix://"
CONNECT_TIMEOUT_S = 5.0
KEPT_FOR_S = 2.0
"""How long an idle connection is kept: vLLM closes its own after five, and what is sent in that moment is lost."""
WRITE_TIMEOUT_S = 15.0


def api_key(settings: Settings) -> str:
    """The bearer key that the guard in front of vLLM asks for; made at the first start and kept in `home`.

    Empty when replicas are named without a key: the local one is no business of theirs.
    """
    if settings.serving.api_key is not None:
        return settings.serving.api_key.get_secret_value()
    if settings.serving.urls:
        return ""
    return _local_key(settings.home.resolve() / "run" / "vllm.key")


def _local_key(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        # A hard link never overwrites: of two processes that start together, one key wins and both read it.
        own = file.with_name(f".{file.name}.{os.getpid()}")
        write_bytes(own, secrets.token_urlsafe(32).encode())
        try:
            file.hardlink_to(own)
        except FileExistsError:
            pass
        finally:
            own.unlink(missing_ok=True)
    return file.read_text().strip()


def connect(url: str, key: str) -> httpx2.AsyncClient:
    """A connection pool to one server at `http(s)://…` or `unix:///path`. No limit on reading: callers set theirs.

    Raises:
        BadInput: the address is of another kind.
    """
    timeout = httpx2.Timeout(None, connect=CONNECT_TIMEOUT_S, write=WRITE_TIMEOUT_S)
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=KEPT_FOR_S)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    if url.startswith(UNIX):
        transport = httpx2.AsyncHTTPTransport(uds=url.removeprefix(UNIX), limits=limits)
        return httpx2.AsyncClient(transport=transport, base_url="http://vllm", timeout=timeout, headers=headers)
    if url.startswith(("http://", "https://")):
        base = url.rstrip("/").removesuffix("/v1")
        return httpx2.AsyncClient(base_url=base, timeout=timeout, limits=limits, headers=headers)
    raise BadInput(f"The model server's address {url!r} must begin with http://, https:// or unix://.")

"""The vLLM replicas: what each holds; load, probe, warm and unload adapters on all of them.

A version is loaded once under its own name from its own read-only folder, and never again with other content: vLLM's
prefix cache knows an adapter by name and path alone. Endpoints: docs.vllm.ai, "LoRA Adapters", "Dynamically serving".
"""

import asyncio
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from serving import preflight
from serving.access import api_key, connect
from serving.base_model import ensure_base_model
from serving.client import error_message, unreachable
from store.errors import AdapterRejected, ModelUnavailable
from store.prompt import question_messages
from store.settings import Settings
from store.tables import BASE, Adapter

logger = logging.getLogger(__name__)

PROBES = ("Hello! Who are you?", "How do I reset my password?")
PROBE_TOKENS = 8

CALL_TIMEOUT_S = 60.0
HEALTH_TIMEOUT_S = 5.0
SLEEP_TIMEOUT_S = 300.0
"""Answers under way are ended first; moving the weights of a large model takes a minute."""
POLL_S = 0.3


class Fleet:
    """Every replica that the settings name; close it with `aclose`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        key = api_key(settings)
        self._replicas = {url: connect(url, key) for url in settings.replica_urls}

    @property
    def urls(self) -> list[str]:
        """The replicas' addresses."""
        return list(self._replicas)

    async def wait_ready(self, timeout_s: float) -> None:
        """Wait until every replica has generated a token: a hung engine still answers its health check.

        Raises:
            ModelUnavailable: one has not within `timeout_s` seconds.
        """
        last = ModelUnavailable("The model server did not answer.")
        try:
            async with asyncio.timeout(timeout_s):
                for url in self._replicas:
                    while True:
                        try:
                            await self._healthy(url)
                            await self._probe(url, BASE)
                            break
                        except ModelUnavailable as error:
                            last = error
                            await asyncio.sleep(POLL_S)
        except TimeoutError as late:
            raise ModelUnavailable(f"{last} It was not ready within {timeout_s:.0f} s.") from late

    async def names(self) -> dict[str, set[str]]:
        """The model names that each reachable replica serves, the base model's among them."""
        return {url: set(paths) for url, paths in (await self.holdings()).items()}

    async def holdings(self) -> dict[str, dict[str, str]]:
        """For each reachable replica, the names it serves and the folder of each."""

        async def held(url: str) -> dict[str, str] | None:
            try:
                return await self._held(url)
            except ModelUnavailable:
                return None

        found = await asyncio.gather(*map(held, self._replicas))
        return {url: paths for url, paths in zip(self._replicas, found, strict=True) if paths is not None}

    async def load(self, adapter: Adapter) -> None:
        """Check an adapter, load it on every replica, and try it there, which warms its prompt; all or nothing.

        Raises:
            AdapterRejected: it failed the check or a probe; no replica keeps what this call loaded.
            ModelUnavailable: a replica did not answer; likewise.
        """
        folder = await self._preflight(adapter)
        outcomes = await asyncio.gather(
            *(self._load_on(url, adapter.name, folder) for url in self._replicas), return_exceptions=True
        )
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if failures:
            for url, outcome in zip(self._replicas, outcomes, strict=True):
                if outcome is True:
                    await self._unload_on(url, adapter.name)
            raise failures[0]

    async def load_on(self, url: str, adapter: Adapter) -> None:
        """As `load`, for one replica: for one that was restarted.

        Raises:
            AdapterRejected, ModelUnavailable: as `load`.
        """
        await self._load_on(url, adapter.name, await self._preflight(adapter))

    async def unload(self, name: str) -> None:
        """Take a name away from every reachable replica; requests in flight end on it undisturbed."""
        await asyncio.gather(*(self._unload_on(url, name) for url in self._replicas))

    async def sleep(self) -> None:
        """Have every replica end what it is answering, move its weights to the host's memory, and leave the GPU.

        Endpoints: docs.vllm.ai, "Sleep Mode".

        Raises:
            ModelUnavailable: one cannot; those that could are asleep.
        """
        await asyncio.gather(*(self._order(url, "/sleep?level=1&mode=wait") for url in self._replicas))

    async def wake(self) -> None:
        """Have every replica take its weights back to the GPU.

        Raises:
            ModelUnavailable: one cannot.
        """
        await asyncio.gather(*(self._order(url, "/wake_up") for url in self._replicas))

    async def asleep(self) -> bool:
        """Whether any reachable replica sleeps."""

        async def sleeps(url: str) -> bool:
            try:
                response = await self._call(url, "GET", "/is_sleeping", timeout_s=HEALTH_TIMEOUT_S)
            except ModelUnavailable:
                return False
            return response.status_code == httpx2.codes.OK and bool(response.json()["is_sleeping"])

        return any(await asyncio.gather(*map(sleeps, self._replicas)))

    async def aclose(self) -> None:
        """Close every connection."""
        for http in self._replicas.values():
            await http.aclose()

    async def _preflight(self, adapter: Adapter) -> Path:
        # Off the event loop: it reads and hashes the whole adapter.
        def checked() -> Path:
            base = ensure_base_model(self.settings, logger.info)
            return preflight.check(adapter, base, self.settings)

        return await asyncio.to_thread(checked)

    async def _load_on(self, url: str, name: str, folder: Path) -> bool:
        """Load and probe on one replica; whether it was this call that loaded it."""
        held = (await self._held(url)).get(name)
        if held is not None and held != str(folder):
            raise ModelUnavailable(
                f"The model server at {url} holds another {name} (from {held}). Restart it; versions are loaded anew."
            )
        ours = held is None and await self._load(url, name, folder)
        try:
            await self._probe(url, name)
        except (AdapterRejected, ModelUnavailable):
            if ours:
                await self._unload_on(url, name)
            raise
        return ours

    async def _load(self, url: str, name: str, folder: Path) -> bool:
        body = {"lora_name": name, "lora_path": str(folder)}
        response = await self._call(url, "POST", "/v1/load_lora_adapter", json=body)
        if response.status_code == httpx2.codes.OK:
            logger.info("%s is loaded on %s", name, url)
            return True
        reason = error_message(response.text)
        if "already been loaded" in reason:
            return False
        if response.status_code == httpx2.codes.NOT_FOUND:
            raise ModelUnavailable(f"The model server at {url} does not see the folder {folder}; is its disk shared?")
        raise AdapterRejected(f"Version {name!r} was refused by the model server: {reason}")

    async def _unload_on(self, url: str, name: str) -> None:
        try:
            response = await self._call(url, "POST", "/v1/unload_lora_adapter", json={"lora_name": name})
        except ModelUnavailable as gone:
            # A server that is gone has forgotten its adapters, too.
            logger.warning("%s was not unloaded: %s", name, gone)
            return
        if response.status_code == httpx2.codes.OK:
            logger.info("%s is unloaded from %s", name, url)

    async def _probe(self, url: str, name: str) -> None:
        """Have a model answer fixed questions; the system prompt is thereby in its prefix cache, too."""
        for question in PROBES if name != BASE else PROBES[:1]:
            body = {
                "model": name,
                "messages": question_messages(self.settings.system_prompt, question),
                "max_tokens": PROBE_TOKENS,
                "temperature": 0,
                "logprobs": True,
            }
            response = await self._call(url, "POST", "/v1/chat/completions", json=body)
            if response.status_code == httpx2.codes.OK:
                _check_answer(name, response.json()["choices"][0])
            elif name == BASE or response.status_code != httpx2.codes.BAD_REQUEST:
                raise ModelUnavailable(f"The model server at {url} cannot answer: {error_message(response.text)}")
            else:
                # This is how values that are not finite show themselves when log-probabilities are asked for.
                raise AdapterRejected(f"Version {name!r} failed its probe: {error_message(response.text)}")

    async def _held(self, url: str) -> dict[str, str]:
        response = await self._call(url, "GET", "/v1/models")
        if response.status_code != httpx2.codes.OK:
            raise ModelUnavailable(f"The model server at {url} does not list its models ({response.status_code}).")
        return {model["id"]: model["root"] for model in response.json()["data"]}

    async def _order(self, url: str, path: str) -> None:
        response = await self._call(url, "POST", path, timeout_s=SLEEP_TIMEOUT_S)
        if response.status_code == httpx2.codes.NOT_FOUND:
            raise ModelUnavailable(
                f"The model server at {url} cannot sleep: start it again, on a GPU, "
                "with NIGHTSCHOOL_SERVING__WHILE_TRAINING=sleep."
            )
        if response.status_code != httpx2.codes.OK:
            raise ModelUnavailable(f"The model server at {url} refused {path}: {error_message(response.text)}")

    async def _healthy(self, url: str) -> None:
        response = await self._call(url, "GET", "/health", timeout_s=HEALTH_TIMEOUT_S)
        if response.status_code != httpx2.codes.OK:
            raise ModelUnavailable(f"The model server at {url} is not healthy ({response.status_code}).")

    async def _call(
        self, url: str, method: str, path: str, *, json: Any = None, timeout_s: float = CALL_TIMEOUT_S
    ) -> httpx2.Response:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._replicas[url].request(method, path, json=json)
        except (httpx2.HTTPError, TimeoutError) as error:
            raise unreachable(url, error) from error


def _check_answer(name: str, choice: Mapping[str, Any]) -> None:
    logprobs = [token["logprob"] for token in (choice.get("logprobs") or {}).get("content") or []]
    if not logprobs or not all(map(math.isfinite, logprobs)):
        raise AdapterRejected(f"Version {name!r} failed its probe: its log-probabilities are not finite.")
    if not (choice["message"]["content"] or "").strip():
        raise AdapterRejected(f"Version {name!r} failed its probe: it answered nothing.")

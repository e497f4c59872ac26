"""Ask a served model: stream an answer, or score a given one. Speaks the OpenAI API as vLLM serves it.

The official `openai` client was measured at 90 to 120 microseconds of CPU for each streamed token against 17 here,
which on a small machine is taken from the model itself; so the events are read with httpx2's own reader.
API: docs.vllm.ai, "OpenAI-Compatible Server".
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, NoReturn

import httpx2

from serving.access import api_key, connect
from store.errors import BadInput, ModelUnavailable, NightschoolError, NotFound
from store.settings import Settings

DONE = "[DONE]"


@dataclass(frozen=True)
class Completion:
    """A whole answer and how it came about; times in milliseconds from the moment of asking."""

    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    first_token_ms: float | None
    latency_ms: float
    mean_logprob: float | None
    finish_reason: str | None


@dataclass(frozen=True)
class Score:
    """How likely a model finds a given answer: mean natural log-probability of its tokens, and how many they are."""

    mean_logprob: float
    tokens: int


@dataclass
class _Replica:
    url: str
    http: httpx2.AsyncClient
    in_flight: int = 0


@dataclass
class _Progress:
    """What has arrived of one answer so far."""

    model: str
    started: float = field(default_factory=time.monotonic)
    pieces: list[str] = field(default_factory=list)
    first_token_ms: float | None = None
    logprobs: list[float] = field(default_factory=list)
    finish_reason: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)

    def take(self, chunk: Mapping[str, Any]) -> str:
        """Note one event of the stream; the text it carries."""
        if usage := chunk.get("usage"):
            self.usage = usage
        if not chunk["choices"]:
            return ""
        self.model = chunk.get("model") or self.model
        choice = chunk["choices"][0]
        if logprobs := choice.get("logprobs"):
            self.logprobs.extend(token["logprob"] for token in logprobs["content"] or [])
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        text: str = choice["delta"].get("content") or ""
        if text:
            if self.first_token_ms is None:
                self.first_token_ms = _ms_since(self.started)
            self.pieces.append(text)
        return text

    def completion(self) -> Completion:
        """The whole answer, once the stream has ended."""
        return Completion(
            text="".join(self.pieces),
            model=self.model,
            prompt_tokens=self.usage.get("prompt_tokens", 0),
            completion_tokens=self.usage.get("completion_tokens", 0),
            first_token_ms=self.first_token_ms,
            latency_ms=_ms_since(self.started),
            mean_logprob=sum(self.logprobs) / len(self.logprobs) if self.logprobs else None,
            finish_reason=self.finish_reason,
        )


def _ms_since(started: float) -> float:
    return (time.monotonic() - started) * 1000


class ModelClient:
    """Asks the replicas that the settings name, each time the one with the fewest of our requests in flight."""

    def __init__(self, settings: Settings) -> None:
        self._serving = settings.serving
        key = api_key(settings)
        self._replicas = [_Replica(url, connect(url, key)) for url in settings.replica_urls]

    async def stream(
        self,
        model: str,
        messages: Sequence[Mapping[str, object]],
        *,
        max_tokens: int | None = None,
        temperature: float | None = None,
        priority: int = 0,
        logprobs: bool = False,
    ) -> AsyncIterator[str | Completion]:
        """Pieces of text as they are generated, and finally one `Completion`.

        Ends early when the caller closes it (`contextlib.aclosing`): the server then frees the request. A request
        that failed before its first token is tried once more, on another replica where there is one. A larger
        `priority` waits longer. `logprobs` fills `Completion.mean_logprob`.

        Raises:
            ModelUnavailable: no server answered in time, or it broke off.
            NotFound: the server holds no adapter of that name.
            BadInput: the messages do not fit the model's context.
        """
        body: dict[str, Any] = {
            "model": model,
            "messages": list(messages),
            "max_tokens": max_tokens or self._serving.max_tokens,
            "temperature": self._serving.temperature if temperature is None else temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if priority:
            body["priority"] = priority
        if logprobs:
            body["logprobs"] = True
        progress = _Progress(model)
        tried: list[_Replica] = []
        while True:
            replica = self._pick(tried)
            try:
                async with aclosing(self._pieces(replica, body, progress)) as pieces:
                    async for piece in pieces:
                        yield piece
                break
            except (ModelUnavailable, NotFound):
                tried.append(replica)
                if progress.pieces or len(tried) > 1:
                    raise
        yield progress.completion()

    async def complete(self, model: str, messages: Sequence[Mapping[str, object]], **parameters: Any) -> Completion:
        """The whole answer at once; parameters and errors as `stream`."""
        async for part in self.stream(model, messages, **parameters):
            if isinstance(part, Completion):
                return part
        raise ModelUnavailable("The model's answer broke off. Please try again.")

    async def score(
        self, model: str, messages: Sequence[Mapping[str, object]], answer: str, priority: int = 0
    ) -> Score:
        """Log-probability per token of a given answer to `messages`, on the served model.

        Prompt and answer are tokenized apart and joined by token ids, so that the answer's tokens do not depend on
        what stands before them. A larger `priority` waits longer.

        Raises:
            ModelUnavailable, NotFound: as `stream`.
            BadInput: the answer is empty, or both together do not fit the model's context.
        """
        replica = self._pick([])
        chat = {"model": model, "messages": list(messages), "add_generation_prompt": True}
        plain = {"model": model, "prompt": answer, "add_special_tokens": False}
        prompt, tail = await asyncio.gather(
            self._post(replica, "/tokenize", chat), self._post(replica, "/tokenize", plain)
        )
        if not tail["tokens"]:
            raise BadInput("An empty answer cannot be scored.")
        ids = prompt["tokens"] + tail["tokens"]
        body = {"model": model, "prompt": ids, "max_tokens": 1, "temperature": 0, "prompt_logprobs": 0}
        body["priority"] = priority
        replica.in_flight += 1
        try:
            scored = await self._post(replica, "/v1/completions", body)
        finally:
            replica.in_flight -= 1
        positions = scored["choices"][0]["prompt_logprobs"][len(prompt["tokens"]) :]
        logprobs = [position[str(token)]["logprob"] for position, token in zip(positions, tail["tokens"], strict=True)]
        return Score(mean_logprob=sum(logprobs) / len(logprobs), tokens=len(logprobs))

    async def aclose(self) -> None:
        """Close every connection."""
        for replica in self._replicas:
            await replica.http.aclose()

    def _pick(self, tried: Sequence[_Replica]) -> _Replica:
        untried = [replica for replica in self._replicas if replica not in tried]
        return min(untried or self._replicas, key=lambda replica: replica.in_flight)

    async def _pieces(self, replica: _Replica, body: dict[str, Any], progress: _Progress) -> AsyncGenerator[str, None]:
        replica.in_flight += 1
        try:
            async with asyncio.timeout(self._serving.first_token_timeout_s) as waiting:
                request = replica.http.build_request("POST", "/v1/chat/completions", json=body)
                response = await replica.http.send(request, stream=True)
                waiting.reschedule(None)
            async with aclosing(response):
                if response.status_code != httpx2.codes.OK:
                    raise_refusal(response.status_code, (await response.aread()).decode(errors="replace"), body)
                async for text in self._texts(response, progress):
                    yield text
        except TimeoutError as late:
            raise ModelUnavailable(
                "The model did not answer in time. It may be starting or overloaded; please try again in a minute."
            ) from late
        except httpx2.HTTPError as broken:
            raise unreachable(replica.url, broken) from broken
        finally:
            replica.in_flight -= 1

    async def _texts(self, response: httpx2.Response, progress: _Progress) -> AsyncIterator[str]:
        events = aiter(httpx2.EventSource(response))
        while True:
            limit = self._serving.gap_timeout_s if progress.pieces else self._serving.first_token_timeout_s
            # Around the wait alone: what the caller does with a piece must not count as the model's silence.
            async with asyncio.timeout(limit):
                event = await anext(events, None)
            if event is None:
                raise ModelUnavailable("The model's answer broke off. Please try again.")
            if event.data == DONE:
                return
            chunk = json.loads(event.data)
            if "error" in chunk:
                raise_refusal(int(chunk["error"].get("code") or 500), event.data, {"model": progress.model})
            if text := progress.take(chunk):
                yield text

    async def _post(self, replica: _Replica, path: str, body: dict[str, Any]) -> Any:
        try:
            async with asyncio.timeout(self._serving.first_token_timeout_s):
                response = await replica.http.post(path, json=body)
        except TimeoutError as late:
            raise ModelUnavailable("The model did not answer in time. Please try again in a minute.") from late
        except httpx2.HTTPError as broken:
            raise unreachable(replica.url, broken) from broken
        if response.status_code != httpx2.codes.OK:
            raise_refusal(response.status_code, response.text, body)
        return response.json()


def unreachable(url: str, error: Exception) -> ModelUnavailable:
    """The error for a server that cannot be reached or went away."""
    return ModelUnavailable(
        f"The model server at {url} cannot be reached ({type(error).__name__}). It may be starting; "
        "please try again in a minute."
    )


def error_message(text: str) -> str:
    """The message within a server's error body, or the beginning of whatever it sent instead."""
    try:
        found: str = json.loads(text)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return text[:300]
    return found


def raise_refusal(status: int, text: str, body: Mapping[str, Any]) -> NoReturn:
    """Turn a server's refusal into the error that fits it."""
    reason = error_message(text)
    error: NightschoolError
    if status == httpx2.codes.NOT_FOUND:
        error = NotFound(f"The model server holds no model called {body.get('model')!r}.")
    elif status == httpx2.codes.BAD_REQUEST and ("context length" in reason or "max_tokens" in reason):
        error = BadInput("The conversation is too long for the model. Please ask in a new thread, or more briefly.")
    elif status == httpx2.codes.UNAUTHORIZED:
        error = ModelUnavailable("The model server refused our key. Check NIGHTSCHOOL_SERVING__API_KEY.")
    elif status == httpx2.codes.SERVICE_UNAVAILABLE:
        error = ModelUnavailable("The model is answering too many questions at once; please try again in a minute.")
    else:
        error = ModelUnavailable(f"The model server refused the request ({status}): {reason}")
    raise error

"""Asking a real vLLM: streaming, scoring, errors in words; and servers that fail in every way."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from pydantic import SecretStr

from serving.access import api_key, connect
from serving.client import Completion, ModelClient
from store.errors import BadInput, ModelUnavailable, NotFound
from store.settings import ServingSettings, Settings
from store.tables import BASE
from tests.fixtures_serving import VllmServer

QUESTION = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "What is the capital of France? Answer in one sentence."},
]
EVENT = 'data: {"model": "base", "choices": [{"index": 0, "delta": {"content": "%s"}, "finish_reason": null}]}\n\n'
HEAD = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
WHOLE = HEAD + EVENT % "well" + "data: [DONE]\n\n"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler) -> AsyncIterator[str]:
    listening = await asyncio.start_server(handler, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


def sending(text: str, then_wait_s: float = 0.0) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text.encode())
        await writer.drain()
        await asyncio.sleep(then_wait_s)
        writer.close()

    return handle


def client_of(*urls: str) -> ModelClient:
    serving = ServingSettings(
        urls=list(urls), api_key=SecretStr("k"), first_token_timeout_s=0.5, gap_timeout_s=0.3, max_tokens=8
    )
    return ModelClient(Settings(serving=serving))


async def in_flight(server: VllmServer) -> float:
    async with connect(server.url, api_key(server.settings)) as http:
        for line in (await http.get("/metrics")).text.splitlines():
            if line.startswith("vllm:num_requests_running{"):
                return float(line.rsplit(" ", 1)[1])
    raise AssertionError("vLLM does not report its running requests")


@pytest.mark.slow
async def test_streams_pieces_and_then_the_whole_answer(vllm_server: VllmServer) -> None:
    client = ModelClient(vllm_server.settings)
    received = [piece async for piece in client.stream(BASE, QUESTION, max_tokens=24, logprobs=True)]
    await client.aclose()
    *pieces, whole = received
    assert isinstance(whole, Completion)
    assert len(pieces) >= 3, "the text came as it was written"
    assert "".join(str(piece) for piece in pieces) == whole.text
    assert "Paris" in whole.text
    assert whole.model == BASE
    assert whole.prompt_tokens > 20
    assert 3 < whole.completion_tokens <= 24
    assert whole.first_token_ms is not None
    assert 0 < whole.first_token_ms < whole.latency_ms
    assert whole.mean_logprob is not None
    assert -5 < whole.mean_logprob < 0
    assert whole.finish_reason in {"stop", "length"}


@pytest.mark.slow
async def test_a_right_answer_scores_higher_than_a_wrong_one(vllm_server: VllmServer) -> None:
    client = ModelClient(vllm_server.settings)
    right = await client.score(BASE, QUESTION, "The capital of France is Paris.")
    wrong = await client.score(BASE, QUESTION, "The capital of France is cheese.")
    answered = await client.complete(BASE, QUESTION, max_tokens=24, logprobs=True)
    scored = await client.score(BASE, QUESTION, answered.text)
    with pytest.raises(BadInput, match="empty"):
        await client.score(BASE, QUESTION, "")
    await client.aclose()
    assert right.tokens == 7
    assert wrong.mean_logprob < right.mean_logprob - 0.5
    assert answered.mean_logprob is not None
    # The generated tokens are scored as they were generated, but for the end-of-turn token.
    assert abs(scored.mean_logprob - answered.mean_logprob) < 0.1


@pytest.mark.slow
async def test_closing_the_stream_frees_the_request(vllm_server: VllmServer) -> None:
    client = ModelClient(vllm_server.settings)
    long = [{"role": "user", "content": "Tell me a very long story about a dragon."}]
    async with aclosing(client.stream(BASE, long, max_tokens=1500)) as pieces:  # type: ignore[type-var]
        async for _ in pieces:
            break
    deadline = time.monotonic() + 5
    while await in_flight(vllm_server) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    assert await in_flight(vllm_server) == 0
    await client.aclose()


@pytest.mark.slow
async def test_what_cannot_be_answered_is_said_in_words(vllm_server: VllmServer) -> None:
    client = ModelClient(vllm_server.settings)
    with pytest.raises(NotFound, match="holds no model called 'v99'"):
        await client.complete("v99", QUESTION)
    with pytest.raises(NotFound, match=r"holds no model called '\.\./v1'"):
        await client.complete("../v1", QUESTION)
    with pytest.raises(BadInput, match="too long for the model"):
        await client.complete(BASE, [{"role": "user", "content": "word " * 5000}])
    await client.aclose()
    stranger = ModelClient(Settings(serving=ServingSettings(urls=[vllm_server.url], api_key=SecretStr("not the key"))))
    with pytest.raises(ModelUnavailable, match="refused our key"):
        await stranger.complete(BASE, QUESTION)
    await stranger.aclose()


async def test_no_server() -> None:
    client = client_of("http://127.0.0.1:1")
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await client.complete(BASE, QUESTION)
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await client.score(BASE, QUESTION, "answer")


@pytest.mark.parametrize(
    ("sent", "then_wait_s", "words"),
    [
        ("", 5.0, "did not answer in time"),
        (HEAD, 5.0, "did not answer in time"),
        (HEAD + EVENT % "well", 5.0, "did not answer in time"),
        (HEAD + EVENT % "well", 0.0, "broke off"),
        ("", 0.0, "cannot be reached"),
        ("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n", 0.0, r"refused the request \(500\)"),
        ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", 0.0, "too many questions"),
        (HEAD + 'data: {"error": {"message": "engine died", "code": 500}}\n\n', 0.0, "engine died"),
    ],
)
async def test_a_server_that_fails(sent: str, then_wait_s: float, words: str) -> None:
    async with server(sending(sent, then_wait_s)) as url:
        client = client_of(url)
        started = time.monotonic()
        with pytest.raises(ModelUnavailable, match=words):
            await client.complete(BASE, QUESTION)
        assert time.monotonic() - started < 2
        await client.aclose()


async def test_another_replica_answers_when_one_fails_before_its_first_token() -> None:
    async with server(sending("")) as broken, server(sending(WHOLE)) as sound:
        client = client_of(broken, sound)
        answers = [await client.complete(BASE, QUESTION) for _ in range(4)]
        assert [answer.text for answer in answers] == ["well"] * 4
        await client.aclose()


async def test_a_started_answer_is_never_begun_again() -> None:
    async with server(sending(HEAD + EVENT % "half")) as broken, server(sending(WHOLE)) as sound:
        client = client_of(broken, sound)
        pieces = client.stream(BASE, QUESTION)
        assert await anext(pieces) == "half"
        with pytest.raises(ModelUnavailable, match="broke off"):
            await anext(pieces)
        await client.aclose()


async def test_a_slow_reader_is_not_taken_for_a_silent_model() -> None:
    async with server(sending(WHOLE)) as url:
        client = client_of(url)
        received = []
        async for piece in client.stream(BASE, QUESTION):
            await asyncio.sleep(0.6)
            received.append(piece)
        assert received[0] == "well"
        assert isinstance(received[1], Completion)
        await client.aclose()


def test_addresses_of_another_kind_are_refused() -> None:
    with pytest.raises(BadInput, match="must begin with"):
        ModelClient(Settings(serving=ServingSettings(urls=["ftp://x"])))


def test_the_key_is_made_once_and_private(settings: Settings) -> None:
    key = api_key(settings)
    assert len(key) >= 40
    assert api_key(settings) == key
    file = settings.home / "run" / "vllm.key"
    assert file.stat().st_mode & 0o077 == 0
    assert api_key(Settings(home=settings.home, serving=ServingSettings(urls=["http://elsewhere"]))) == ""

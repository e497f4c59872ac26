"""Vectors over the wire: order, key, refusals, a server that is down."""

import logging

import numpy as np
import pytest
from pydantic import SecretStr

from serving import embeddings
from serving.embeddings import Embeddings, EmbeddingsUnavailable
from store.errors import BadInput
from store.settings import KnowledgeSettings
from tests.embeddings_server import MODEL, EmbeddingsServer, serving_embeddings


def length(text: str) -> list[float]:
    return [float(len(text)), 1.0]


def reaching(server: EmbeddingsServer, timeout_s: float = 5.0) -> Embeddings:
    return Embeddings(
        KnowledgeSettings(
            embeddings_url=f"{server.url}/v1/",
            embeddings_model=MODEL,
            embeddings_key=SecretStr("a-key-of-ours"),
            embeddings_timeout_s=timeout_s,
        )
    )


async def test_each_text_gets_its_own_vector() -> None:
    async with serving_embeddings(length) as server:
        given = await reaching(server).of(["a", "bb", "ccc"])
    assert [vector.tolist() for vector in given if vector is not None] == [[1, 1], [2, 1], [3, 1]]
    assert server.requests == [{"model": MODEL, "input": ["a", "bb", "ccc"], "encoding_format": "float"}]
    assert server.keys == ["Bearer a-key-of-ours"]


async def test_one_text_that_is_refused_keeps_no_other_back() -> None:
    async with serving_embeddings(length) as server:
        server.longest = 5
        given = await reaching(server).of(["a", "bb", "c" * 9, "dddd"])
    assert [None if vector is None else vector[0] for vector in given] == [1, 2, None, 4]


async def test_a_server_that_is_down_is_said_once_and_left_alone_for_a_while(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving_embeddings(length) as server:
        reached = reaching(server)
        server.failures = [503]
        with caplog.at_level(logging.WARNING):
            assert await reached.of_question("why?") is None
            assert await reached.of_question("why?") is None
        assert len(server.requests) == 1
        (said,) = caplog.messages
        assert "by their words alone" in said
        assert server.url in said
        assert "503" in said
        monkeypatch.setattr(embeddings, "PAUSE_S", 0.0)
        server.failures = [503]
        reached = reaching(server)
        assert await reached.of_question("why?") is None
        assert np.array_equal(await reached.of_question("why?"), [4, 1])
    with pytest.raises(EmbeddingsUnavailable, match="Is it running"):
        await reached.of(["a"])


async def test_what_is_no_vector_is_refused() -> None:
    async with serving_embeddings(lambda _: []) as server:
        with pytest.raises(EmbeddingsUnavailable, match="Is it an embedding model"):
            await reaching(server).of(["a"])


async def test_without_a_server_nothing_is_asked_and_a_server_needs_a_model() -> None:
    assert await Embeddings(KnowledgeSettings()).of_question("why?") is None
    with pytest.raises(BadInput, match="EMBEDDINGS_MODEL"):
        Embeddings(KnowledgeSettings(embeddings_url="http://127.0.0.1:1"))

"""Asking a real vLLM: streaming, scoring, errors in words."""

import pytest

from serving.client import Completion, ModelClient
from store.tables import BASE
from tests.fixtures_serving import VllmServer

QUESTION = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "What is the capital of France? Answer in one sentence."},
]


@pytest.mark.slow
async def test_streams_pieces_and_then_the_whole_answer(vllm_server: VllmServer) -> None:
    client = ModelClient(vllm_server.settings)
    received = [piece async for piece in client.stream(BASE, QUESTION, max_tokens=24, logprobs=True)]
    await client.aclose()
    *pieces, whole = received
    assert isinstance(whole, Completion)
    assert len(pieces) > 3
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

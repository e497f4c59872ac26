"""Connections to the model server: how long one is kept."""

import asyncio

import pytest

from serving import access

VLLM_KEEPS_S = 5.0
"""Uvicorn's `timeout_keep_alive` as vLLM sets it (VLLM_HTTP_TIMEOUT_KEEP_ALIVE)."""


async def test_a_connection_that_the_server_is_about_to_close_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert access.KEPT_FOR_S < VLLM_KEEPS_S
    monkeypatch.setattr(access, "KEPT_FOR_S", 0.2)
    opened = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    async with access.connect(f"http://127.0.0.1:{port}", "") as http:
        for _ in range(2):
            assert (await http.get("/health")).text == "ok"
        assert opened == 1
        await asyncio.sleep(0.4)
        assert (await http.get("/health")).text == "ok"
        assert opened == 2
    server.close()

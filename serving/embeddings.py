"""What texts mean, as vectors, from any server that speaks OpenAI's `/v1/embeddings` (vLLM, llama.cpp, Ollama, ...)."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress

import httpx2
import numpy as np
from pydantic import BaseModel, ValidationError

from serving.access import connect
from store.errors import BadInput, NightschoolError
from store.knowledge.dense import Vector
from store.settings import KnowledgeSettings

log = logging.getLogger(__name__)

PATIENCE_S = 60.0
"""For a batch of passages, which nobody waits for."""

PAUSE_S = 30.0
"""After a failure questions are not asked for so long, or every answer would wait for a server that is down."""

LONGEST = 2000
"""Characters of a question; most models read no more than some hundred tokens."""

REFUSALS = (httpx2.codes.BAD_REQUEST, httpx2.codes.CONTENT_TOO_LARGE, httpx2.codes.UNPROCESSABLE_CONTENT)


class EmbeddingsUnavailable(NightschoolError):
    """The embeddings server is down, hangs, or gives something else than vectors."""


class TextsRefused(EmbeddingsUnavailable):
    """The server is there but will not take these texts, such as one that is too long for its model."""


class _Item(BaseModel):
    index: int
    embedding: list[float]


class _Reply(BaseModel):
    data: list[_Item]


class Embeddings:
    """A connection to the embeddings server of the settings; without one it knows no meaning at all."""

    def __init__(self, settings: KnowledgeSettings) -> None:
        """Connects when it is first asked.

        Raises:
            BadInput: an address without a model's name, or of a kind that is not known.
        """
        if settings.embeddings_url and not settings.embeddings_model:
            raise BadInput("Set NIGHTSCHOOL_KNOWLEDGE__EMBEDDINGS_MODEL to the model's name on the embeddings server.")
        key = settings.embeddings_key.get_secret_value() if settings.embeddings_key else ""
        self.model = settings.embeddings_model if settings.embeddings_url else ""
        self._settings = settings
        self._http = connect(settings.embeddings_url, key) if self.model else None
        self._down_until = 0.0

    async def of_question(self, text: str) -> Vector | None:
        """A question's vector; None where there is no server, it is down, or it takes too long."""
        if self._http is None or time.monotonic() < self._down_until:
            return None
        try:
            async with asyncio.timeout(self._settings.embeddings_timeout_s):
                return (await self._vectors([text[:LONGEST]]))[0]
        except TextsRefused as error:
            log.warning("a question is looked up by its words alone: %s", error)
        except (EmbeddingsUnavailable, TimeoutError) as error:
            self._down_until = time.monotonic() + PAUSE_S
            reason = str(error) or f"It took longer than {self._settings.embeddings_timeout_s:g} s."
            log.warning(
                "the embeddings server %s does not answer; documents are looked up by their words alone for %.0f s. %s",
                self._settings.embeddings_url,
                PAUSE_S,
                reason,
            )
        return None

    async def of(self, texts: Sequence[str]) -> list[Vector | None]:
        """The vectors of texts, in their order; None for one that the server refuses.

        Raises:
            EmbeddingsUnavailable: there is no answer that can be used.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                return [*await self._vectors(texts)]
        except TimeoutError as error:
            raise EmbeddingsUnavailable(f"No vectors came within {PATIENCE_S:.0f} s.") from error
        except TextsRefused as error:
            if len(texts) == 1:
                log.warning("a passage of %d characters is found by its words alone: %s", len(texts[0]), error)
                return [None]
        # One text that is too long must not keep the others from being found.
        half = len(texts) // 2
        return [*await self.of(texts[:half]), *await self.of(texts[half:])]

    async def aclose(self) -> None:
        """Close the connection."""
        if self._http is not None:
            await self._http.aclose()

    async def _vectors(self, texts: Sequence[str]) -> list[Vector]:
        if self._http is None:
            raise EmbeddingsUnavailable("There is no embeddings server. Set NIGHTSCHOOL_KNOWLEDGE__EMBEDDINGS_URL.")
        body = {"model": self.model, "input": list(texts), "encoding_format": "float"}
        try:
            response = await self._http.post("/v1/embeddings", json=body)
        except httpx2.HTTPError as error:
            raise EmbeddingsUnavailable(f"It cannot be reached ({type(error).__name__}). Is it running?") from error
        if response.status_code != httpx2.codes.OK:
            refused = TextsRefused if response.status_code in REFUSALS else EmbeddingsUnavailable
            raise refused(f"It answered {response.status_code}: {response.text[:200]}")
        return _read(response.content, len(texts))


def _read(content: bytes, count: int) -> list[Vector]:
    with suppress(ValidationError):
        items = sorted(_Reply.model_validate_json(content).data, key=lambda item: item.index)
        vectors = [np.array(item.embedding, dtype=np.float32) for item in items]
        if len(vectors) == count and all(vector.size and np.isfinite(vector).all() for vector in vectors):
            return vectors
    raise EmbeddingsUnavailable("It gave something else than one vector for each text. Is it an embedding model?")

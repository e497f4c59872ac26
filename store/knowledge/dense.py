"""Passages by what they mean: exact cosine similarity over vectors of an embedding model, held in memory."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from store.knowledge.index import EVERYBODY, Hit

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class _Rows:
    """Passages whose vectors are of one length: their ids, who may see them, and their vectors, one a row."""

    ids: NDArray[np.int64]
    channels: NDArray[np.str_]
    vectors: NDArray[np.float32]


def embedded_text(hit: Hit) -> str:
    """What of a passage is embedded: its title, its heading and its text."""
    return "\n".join(part for part in (hit.title, hit.heading, hit.text) if part)


def key_of(text: str) -> str:
    """By which a text's vector is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


class DenseIndex:
    """The vectors of passages that are in the full-text index, by the ids that they have there."""

    def __init__(self) -> None:
        """Empty until `build`."""
        self._vectors: dict[str, Vector] = {}
        self._texts: dict[str, str] = {}
        self._by_length: dict[int, _Rows] = {}

    def build(self, passages: Iterable[tuple[Hit, str]], vectors: Mapping[str, Vector]) -> None:
        """Hold these passages and who may see them, with those of the vectors, new and held, that are theirs."""
        texts = {(hit.id, channel): embedded_text(hit) for hit, channel in passages}
        keys = {row: key_of(text) for row, text in texts.items()}
        self._texts = {keys[row]: text for row, text in texts.items()}
        known = {**self._vectors, **vectors}
        self._vectors = {key: known[key] for key in self._texts if key in known}
        lengths: dict[int, list[tuple[int, str]]] = {}
        for row, key in keys.items():
            if key in self._vectors:
                lengths.setdefault(self._vectors[key].size, []).append(row)
        self._by_length = {
            length: _Rows(
                np.array([id_ for id_, _ in rows]),
                np.array([channel for _, channel in rows]),
                np.stack([_unit(self._vectors[keys[row]]) for row in rows]),
            )
            for length, rows in lengths.items()
        }

    def lacking(self) -> dict[str, str]:
        """The texts that have no vector yet, by their keys."""
        return {key: text for key, text in self._texts.items() if key not in self._vectors}

    def keys(self) -> set[str]:
        """The keys of all texts, with a vector or without."""
        return set(self._texts)

    def nearest(self, vector: Vector, channel: str, limit: int) -> list[int]:
        """The ids of the passages that mean most nearly the same, best first, of those that the channel may see."""
        rows = self._by_length.get(vector.size)
        if rows is None:
            return []
        seen = np.flatnonzero((rows.channels == EVERYBODY) | (rows.channels == channel))
        alike = (rows.vectors @ _unit(vector))[seen]
        return [int(found) for found in rows.ids[seen[np.argsort(-alike, kind="stable")[:limit]]]]


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length else vector

"""Passages found by meaning: joined with those found by words, only those that the channel may see, kept by text."""

from pathlib import Path

import numpy as np

from store.knowledge import folder, vectors
from store.knowledge.shelf import Shelf
from store.session import Store

MODEL = "tiny-embed"
MONEY, PLACE = np.array([1, 0], dtype=np.float32), np.array([0, 1], dtype=np.float32)


def filled(store: Store, home: Path, **texts: str) -> Shelf:
    for name, text in texts.items():
        path = home / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".md").write_text(text)
    folder.update(store, home)
    return refreshed(store)


def refreshed(store: Store) -> Shelf:
    shelf = Shelf(MODEL)
    with store.reading() as session:
        shelf.refresh(session)
    return shelf


def embed(store: Store, shelf: Shelf) -> None:
    given = {key: MONEY * 3 if "euros" in text else PLACE for key, text in shelf.not_embedded().items()}
    with store.writing() as session:
        vectors.put(session, MODEL, given)
        vectors.put(session, MODEL, given)
    with store.reading() as session:
        shelf.refresh(session)


def sources(shelf: Shelf, question: str, channel: str = "", vector: np.ndarray | None = None) -> list[str]:
    return [passage.source for passage in shelf.find(question, channel, 5, vector)]


def test_what_shares_no_word_is_found_by_meaning(store: Store, tmp_path: Path) -> None:
    shelf = filled(store, tmp_path, rent="# Rental\n\nForty euros a night.", hall="# Hall\n\nBehind gate four.")
    assert sources(shelf, "what does it cost?", vector=MONEY) == []
    embed(store, shelf)
    assert shelf.not_embedded() == {}
    assert sources(shelf, "what does it cost?") == []
    assert sources(shelf, "what does it cost?", vector=MONEY)[0] == "rent.md"
    assert sources(shelf, "where is it?", vector=PLACE)[0] == "hall.md"
    found = shelf.find("the hall at gate four", "", 5, MONEY)
    assert [(one.number, one.source) for one in found] == [(1, "hall.md"), (2, "rent.md")]
    assert sources(refreshed(store), "what does it cost?", vector=MONEY)[0] == "rent.md"


def test_by_meaning_too_a_channel_s_documents_are_for_it_alone(store: Store, tmp_path: Path) -> None:
    shelf = filled(store, tmp_path, C0SALES0001__margin="# Margin\n\nTwelve euros.", hall="# Hall\n\nBehind gate four.")
    embed(store, shelf)
    assert sources(shelf, "what does it cost?", "C0OTHER0001", MONEY) == ["hall.md"]
    assert sources(shelf, "what does it cost?", "C0SALES0001", MONEY)[0] == "C0SALES0001/margin.md"


def test_only_what_changed_is_embedded_anew_and_what_is_gone_is_forgotten(store: Store, tmp_path: Path) -> None:
    shelf = filled(store, tmp_path, rent="# Rental\n\nForty euros.\n\n## Days\n\nAll but Monday.")
    embed(store, shelf)
    shelf = filled(store, tmp_path, rent="# Rental\n\nFifty euros.\n\n## Days\n\nAll but Monday.")
    (anew,) = shelf.not_embedded().values()
    assert "Fifty" in anew
    with store.writing() as session:
        vectors.put(session, "another-model", {"0" * 64: PLACE})
        assert vectors.keep_only(session, MODEL, shelf.embedded_keys()) == 2
    with store.reading() as session:
        assert len(vectors.read(session, MODEL, shelf.embedded_keys())) == 1


def test_a_vector_of_another_length_finds_nothing_and_breaks_nothing(store: Store, tmp_path: Path) -> None:
    shelf = filled(store, tmp_path, rent="# Rental\n\nForty euros a night.")
    embed(store, shelf)
    assert sources(shelf, "how many euros?", vector=np.ones(3, dtype=np.float32)) == ["rent.md"]

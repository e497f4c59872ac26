"""Retrieval on a help desk's own articles: is the right one found, and is it told when none answers.

Each question is the symptoms that were taken out of one article. A question that nothing answers is one whose whole
area (Outlook, Teams, ...) was left out of the index. The threshold is fitted on one half of the questions and
measured on the other, twice, each half once.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from store.knowledge.documents import ReadDocument, Section
from store.knowledge.index import Entry, Index
from store.knowledge.passages import cut
from store.knowledge.ranking import features

TITLE = "Retrieval: the right article, and none where none answers"

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "ms_support_kb"
ANSWERED = 0.957
"""Of the questions that it is fitted on, so that of others 95 % are answered."""
DIVISIONS = 20
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """A question's features by the whole index and by one without its area, and the rank of the right article."""

    known: tuple[float, ...]
    unknown: tuple[float, ...]
    rank: int


def table(quick: bool) -> str:
    """Recall, and the share refused of what nothing answers."""
    del quick
    if not FOLDER.exists():
        return "The help desk's articles (ms_support_kb) are not here, so nothing was measured."
    articles, questions = _rows("articles"), _rows("queries_dev")
    whole = _index(articles)
    by_area, by_product = (_measured(articles, questions, whole, part) for part in (_area, _product))
    recalls = [sum(one.rank <= most for one in by_area) / len(by_area) for most in (1, 5)]
    answered, refused = _abstention(by_area)
    of_products = _abstention(by_product)
    return "\n".join(
        [
            "| measure | value |",
            "|---|---|",
            f"| recall@1 | {recalls[0]:.3f} |",
            f"| recall@5 | {recalls[1]:.3f} |",
            f"| answered of those that an article answers | {100 * answered:.1f} % |",
            f"| refused of those that none answers: their area is left out | {100 * refused:.1f} % |",
            f"| answered where all of a product is left out | {100 * of_products[0]:.1f} % |",
            f"| refused where all of a product is left out | {100 * of_products[1]:.1f} % |",
            "",
            f"{len(articles)} articles, {len(questions)} questions; the threshold is fitted on the other half.",
        ]
    )


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]


def _area(row: dict[str, Any]) -> str:
    return str(row["area"])


def _product(row: dict[str, Any]) -> str:
    return _area(row).split("/")[0]


def _measured(
    articles: list[dict[str, Any]], questions: list[dict[str, Any]], whole: Index, part: Callable[[dict[str, Any]], str]
) -> list[Measured]:
    """Each question by the whole index and by one without the part that it belongs to."""
    without = {
        name: _index([row for row in articles if part(row) != name]) for name in {part(row) for row in questions}
    }
    return [_measure(row, whole, without[part(row)]) for row in questions]


def _index(articles: list[dict[str, Any]]) -> Index:
    index = Index()
    index.replace(Entry(row["id"], row["title"], cut(_document(row))) for row in articles)
    return index


def _document(row: dict[str, Any]) -> ReadDocument:
    paragraphs = row["text"].removeprefix(row["title"]).split("\n\n")
    return ReadDocument(row["title"], [Section("", [part for part in paragraphs if part.strip()])])


def _measure(row: dict[str, Any], whole: Index, without: Index) -> Measured:
    # Several passages of one article count once: the rank is that of articles.
    found = list(dict.fromkeys(hit.source for hit in whole.search(row["query"], limit=40)))
    rank = found.index(row["doc_id"]) + 1 if row["doc_id"] in found else len(found) + 100
    return Measured(_features(whole, row["query"]), _features(without, row["query"]), rank)


def _features(index: Index, question: str) -> tuple[float, ...]:
    found = index.evidence(question)
    if found is None:
        raise ValueError(f"nothing has a word of {question!r}")
    return features(found)


def _abstention(measured: list[Measured]) -> tuple[float, float]:
    """The shares answered and refused, each half judged by weights and threshold of the other, over many divisions."""
    answered: list[bool] = []
    refused: list[bool] = []
    for seed in range(DIVISIONS):
        order = np.random.default_rng(seed).permutation(len(measured))
        halves = order[::2], order[1::2]
        for fitted, judged in (halves, halves[::-1]):
            known, unknown = (_matrix(measured, fitted, name) for name in ("known", "unknown"))
            weights = _fit(known, unknown)
            threshold = np.quantile(known @ weights, 1 - ANSWERED)
            answered.extend(_matrix(measured, judged, "known") @ weights >= threshold)
            refused.extend(_matrix(measured, judged, "unknown") @ weights < threshold)
    return float(np.mean(answered)), float(np.mean(refused))


def _matrix(measured: list[Measured], chosen: NDArray[np.int64], name: str) -> Numbers:
    return np.array([(*getattr(measured[at], name), 1.0) for at in chosen])


def _fit(known: Numbers, unknown: Numbers) -> Numbers:
    """Logistic regression with a slight pull to zero; the last weight is the constant."""
    rows = np.concatenate([known, -unknown])

    def loss(weights: Numbers) -> float:
        return float(np.logaddexp(0, -rows @ weights).mean() + 1e-3 * (weights[:-1] ** 2).sum())

    return np.asarray(minimize(loss, np.zeros(rows.shape[1])).x)

"""`nightschool compare`: the held-out tickets of the newest dataset, answered by every arm."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
from sqlmodel import Session, col, select

from serving.fleet import Fleet
from store import adapters, artifacts
from store.errors import BadInput
from store.knowledge import library
from store.knowledge.shelf import Shelf
from store.session import Store
from store.settings import Settings
from store.tables import BASE, Dataset
from store.words import Split
from trainer.compare.arms import Example, arms, handbook
from trainer.compare.measure import Asked, measure
from trainer.compare.recommend import recommend
from trainer.compare.report import draw, markdown

EXAMPLES = 6
ALONE = 2
"""Turns of a question that stands alone: the system's and its own."""


def compare(
    settings: Settings, store: Store, *, version: str, tickets: int, long_prompt: str, say: Callable[[str], None]
) -> Path:
    """Answer held-out tickets in every way that is possible here; the folder with `comparison.md` and its chart.

    `version` is the adapter to compare, empty for the one in production. Without `long_prompt` it is made of the
    documents, as many as fit.

    Raises:
        BadInput: no night has held tickets out yet, or the long prompt does not fit.
        NotFound: there is no such version.
        ModelUnavailable: the model server does not answer.
    """
    shelf = Shelf()
    with store.reading() as session:
        shelf.refresh(session)
        name = version or adapters.answering(session)
        adapter = adapters.get(session, name) if name != BASE else None
        asked, examples = _tickets(session, tickets, settings.training.seed)
        texts = [_text(session, row.id or 0, row.title) for row in library.documents(session) if not row.problem]
    if long_prompt and handbook([long_prompt], settings)[1] == 0:
        raise BadInput(
            f"The long prompt has {len(long_prompt):,} characters, which do not fit {settings.serving.max_model_len:,} "
            "tokens beside a question and its answer. Shorten it, or raise NIGHTSCHOOL_SERVING__MAX_MODEL_LEN."
        )
    told, number = handbook([long_prompt] if long_prompt else texts, settings)
    if number < len(texts) and not long_prompt:
        say(f"The long prompt holds {number} of {len(texts)} documents: more do not fit the context.")

    async def measuring() -> str:
        if adapter is not None:
            fleet = Fleet(settings)
            try:
                await fleet.load(adapter)
            finally:
                await fleet.aclose()
        results = await measure(settings, arms(settings, name, shelf, told, examples), asked, say)
        confidence, prices = settings.gate.confidence, settings.compare
        advice = recommend(results, prices, confidence)
        say(advice)
        draw(results, confidence, folder / "comparison.png")
        title = f"# Prompt, retrieval or fine-tuning: {len(asked)} held-out tickets"
        return "\n\n".join(
            [title, advice, markdown(results, asked, prices, confidence), "![Right answers](comparison.png)"]
        )

    folder = settings.artifacts / "comparisons" / name
    report = asyncio.run(measuring())
    artifacts.write_bytes(folder / "comparison.md", f"{report}\n".encode())
    return folder


def _tickets(session: Session, most: int, seed: int) -> tuple[list[Asked], list[Example]]:
    dataset = session.exec(select(Dataset).order_by(col(Dataset.id).desc())).first()
    if dataset is None:
        raise BadInput("No night has run yet, so no tickets are held out. Run `nightschool night` first.")
    rows = pq.read_table(dataset.path, columns=["prompt", "completion", "split"]).to_pylist()
    # A follow-up leans on its conversation, which the arms would each have to fit in beside what they tell.
    held_out = [row for row in rows if row["split"] == Split.HELD_OUT and len(row["prompt"]) == ALONE]
    if not held_out:
        raise BadInput("The last night held no tickets out. Review more answers, and run a night again.")
    chosen = Random(seed).sample(held_out, min(most, len(held_out)))
    taught = {row["completion"]: row for row in rows if row["split"] == Split.TRAIN}
    shown = Random(seed).sample(list(taught.values()), min(EXAMPLES, len(taught)))
    return (
        [Asked(row["prompt"][-1]["content"], row["completion"]) for row in chosen],
        [Example(row["prompt"][-1]["content"], row["completion"]) for row in shown],
    )


def _text(session: Session, document_id: int, title: str) -> str:
    return "\n".join([title, *(piece.text for piece in library.pieces(session, document_id))])

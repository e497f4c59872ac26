"""What a bot keeps at hand beside the store, so that a question need not read it anew."""

from dataclasses import dataclass

from store.approved import ApprovedAnswers
from store.knowledge.dense import Vector
from store.knowledge.shelf import Shelf


@dataclass(frozen=True)
class Memory:
    """The answers that reviewers gave, the documents, and what the question means where that is known."""

    approved: ApprovedAnswers
    shelf: Shelf
    meaning: Vector | None = None

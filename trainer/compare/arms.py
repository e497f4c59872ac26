"""The six ways of answering that are compared: what each tells which model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from store.knowledge.shelf import Shelf
from store.prompt import ChatMessage, neutralised, question_messages, with_passages
from store.settings import Settings
from store.tables import BASE

SHORT, LONG, FEW_SHOT, RETRIEVAL = "short prompt", "long prompt", "few-shot", "retrieval"
ADAPTER, BOTH = "adapter", "adapter and retrieval"

BYTES_PER_TOKEN = 3
"""Chosen low, so that what is put together fits the context."""

Prompt = Callable[[str], list[ChatMessage]]


@dataclass(frozen=True)
class Arm:
    """One way of answering: its name, the model that is asked, and what it is told for a question."""

    name: str
    model: str
    prompt: Prompt


@dataclass(frozen=True)
class Example:
    """A question with its accepted answer, shown before the question."""

    question: str
    answer: str


def arms(settings: Settings, version: str, shelf: Shelf, long_prompt: str, examples: Sequence[Example]) -> list[Arm]:
    """All six; those that need what is not there (examples, documents, a version) are left out."""
    system = settings.system_prompt
    room = settings.serving.max_model_len - settings.serving.max_tokens

    def plain(question: str) -> list[ChatMessage]:
        return question_messages(system, question)

    def looked_up(question: str) -> list[ChatMessage]:
        found = shelf.find(question, "", settings.knowledge.passages)
        told = [(passage.number, passage.label, passage.text) for passage in found]
        return question_messages(with_passages(system, told), question)

    shown = _examples(examples, room)
    found = [Arm(SHORT, BASE, plain)]
    if long_prompt:
        found.append(Arm(LONG, BASE, lambda question: question_messages(f"{system}\n\n{long_prompt}", question)))
    if shown:
        found.append(Arm(FEW_SHOT, BASE, lambda question: [plain("")[0], *shown, plain(question)[1]]))
    if len(shelf):
        found.append(Arm(RETRIEVAL, BASE, looked_up))
    if version != BASE:
        found.append(Arm(ADAPTER, version, plain))
    if version != BASE and len(shelf):
        found.append(Arm(BOTH, version, looked_up))
    return found


def handbook(texts: Sequence[str], settings: Settings) -> tuple[str, int]:
    """As many texts as fit into a prompt beside a question and its answer, and how many those are."""
    room = settings.serving.max_model_len - settings.serving.max_tokens
    most = BYTES_PER_TOKEN * (room - QUESTION_TOKENS) - len(settings.system_prompt.encode())
    kept: list[str] = []
    for text in texts:
        if sum(len(one.encode()) + 2 for one in [*kept, text]) > most:
            break
        kept.append(text.strip())
    return neutralised("\n\n".join(kept)), len(kept)


QUESTION_TOKENS = 200
"""Left for the question."""


def _examples(examples: Sequence[Example], room: int) -> list[ChatMessage]:
    shown: list[ChatMessage] = []
    left = BYTES_PER_TOKEN * (room - QUESTION_TOKENS)
    for example in examples:
        left -= len((example.question + example.answer).encode()) + 2 * BYTES_PER_TOKEN * 8
        if left < 0:
            break
        shown.append({"role": "user", "content": neutralised(example.question)})
        shown.append({"role": "assistant", "content": neutralised(example.answer)})
    return shown

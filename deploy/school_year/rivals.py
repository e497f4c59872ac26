"""What the year is compared with: the base model as it was, the same with retrieval, and the closest answer copied."""

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path

from deploy.school_year.records import BASE_MODEL, COPIED, RETRIEVAL, Question, Said, finite
from serving.client import ModelClient
from store.errors import BadInput
from store.knowledge.documents import READERS, ReadDocument, Section, read
from store.knowledge.index import Entry, Hit, Index
from store.knowledge.passages import cut
from store.prompt import ChatMessage, neutralised, question_messages
from store.tables import BASE
from trainer.asking import CONCURRENCY, answers
from trainer.asking import Question as Asked
from trainer.scores import scores

PASSAGES = 3
LONGEST_PASSAGE, LONGEST_TITLE = 900, 200
"""Characters, so that three of them leave room for a long question and its answer in 2,048 tokens."""


class Library:
    """What is retrieved from: the documents of a folder, or else the tickets that were answered so far."""

    def __init__(self, documents: Path | None) -> None:
        """Read the documents, where a folder is given.

        Raises:
            BadInput: there is no document in the folder, or one cannot be read.
        """
        self.documents = documents
        self._past = Index()
        self._index = Index() if documents else self._past
        if documents is not None:
            files = sorted(file for file in documents.rglob("*") if file.suffix.lower() in READERS)
            if not files:
                raise BadInput(f"There is no document in {documents}: I read {', '.join(sorted(READERS))}.")
            self._index.replace(_entry(str(file), read(file)) for file in files)

    def learn(self, questions: Sequence[Question]) -> None:
        """Take in what has been answered; each question is the title of its answer."""
        self._past.replace(
            _entry(one.id, ReadDocument(one.question, [Section("", one.answer.split("\n"))])) for one in questions
        )

    def passages(self, question: str) -> list[Hit]:
        """What fits a question best."""
        return self._index.search(question, limit=PASSAGES)

    def closest(self, question: str, known: Sequence[Question]) -> str:
        """The whole answer to the past question that is closest; empty when nothing has a word in common with it."""
        hits = self._past.search(question, limit=1)
        return next((one.answer for one in known if hits and one.id == hits[0].source), "")


def _entry(source: str, document: ReadDocument) -> Entry:
    return Entry(source, document.title, cut(document, LONGEST_PASSAGE))


async def compare(
    client: ModelClient, system_prompt: str, library: Library, questions: Sequence[Question], known: Sequence[Question]
) -> None:
    """Write into each question what the others answer; `known` are the questions of the days before."""
    turns = asyncio.Semaphore(CONCURRENCY)

    async def one(question: Question) -> None:
        hits, text = library.passages(question.question), library.closest(question.question, known)
        async with turns:
            alone = question_messages(system_prompt, question.question)
            question.said[BASE_MODEL] = await _said(client, question, alone)
            question.said[RETRIEVAL] = await _said(client, question, _with_passages(system_prompt, question, hits))
        question.said[COPIED] = Said(text=text, by=COPIED, scores=finite(scores(text, question.answer, math.nan)))

    await asyncio.gather(*map(one, questions))


async def _said(client: ModelClient, question: Question, messages: Sequence[ChatMessage]) -> Said:
    asked = Asked(0, 0, [{"role": one["role"], "content": one["content"]} for one in messages], question.answer)
    try:
        (answer,) = await answers(client, BASE, [asked], {}, _nobody)
    except BadInput:
        # Longer than the model's context.
        return Said(text="", by=BASE, scores=finite(scores("", question.answer, math.nan)))
    return Said(text=answer.text, by=BASE, scores=finite(answer.scores))


def _with_passages(system_prompt: str, question: Question, hits: Sequence[Hit]) -> list[ChatMessage]:
    texts = "\n\n".join(f"{hit.title[:LONGEST_TITLE]}\n{hit.text}" for hit in hits)
    told = f"{system_prompt} Use what fits of these texts:\n\n{neutralised(texts)}" if hits else system_prompt
    return question_messages(told, question.question)


async def _nobody(model: str, answered: int, of: int) -> None:
    """Nobody needs to be told how far the asking is: a day takes a minute."""

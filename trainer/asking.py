"""Asking a version many questions at once, behind the people who ask at night, and scoring what it says."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from serving.client import ModelClient
from store.evaluations import KnownAnswer
from trainer.scores import scores

CONCURRENCY = 8
BEHIND_PEOPLE = 10
"""vLLM's priority of these requests: larger waits longer, so that people come first."""

Tell = Callable[[str, int, int], Awaitable[None]]
"""Told now and then: which model, how many questions it has answered, of how many."""


@dataclass(frozen=True)
class Question:
    """What was asked in a ticket, as the model saw it, and the answer that a reviewer stands behind."""

    ticket_id: int
    answer_id: int
    messages: list[dict[str, str]]
    reference: str


@dataclass(frozen=True)
class Taught:
    """A lesson as a version saw it."""

    messages: list[dict[str, str]]
    completion: str

    @property
    def question(self) -> str:
        """What was asked in it."""
        return self.messages[-1]["content"]


async def answers(
    client: ModelClient, model: str, questions: Sequence[Question], known: Mapping[int, KnownAnswer], tell: Tell
) -> list[KnownAnswer]:
    """The scored answers of a model, in the order of the questions.

    Answers in `known`, by answer id, are taken from there if they were scored against the same reference.

    Raises:
        ModelUnavailable: the model server went away.
        NotFound: it holds no such model.
    """
    turns = asyncio.Semaphore(CONCURRENCY)
    done = 0

    async def one(question: Question) -> KnownAnswer:
        nonlocal done
        earlier = known.get(question.answer_id)
        if earlier is not None and earlier.reference == question.reference:
            answer = earlier
        else:
            async with turns:
                answer = await _answer(client, model, question)
        done += 1
        if done % CONCURRENCY == 0 or done == len(questions):
            await tell(model, done, len(questions))
        return answer

    return await asyncio.gather(*map(one, questions))


async def _answer(client: ModelClient, model: str, question: Question) -> KnownAnswer:
    said = await client.complete(model, question.messages, temperature=0.0, priority=BEHIND_PEOPLE)
    likelihood = await client.score(model, question.messages, question.reference, BEHIND_PEOPLE)
    return KnownAnswer(question.reference, said.text, scores(said.text, question.reference, likelihood.mean_logprob))

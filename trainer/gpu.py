"""One GPU for serving and training: the model servers sleep while the night trains, where the settings say so.

Asleep, vLLM keeps its weights in the host's memory and has freed the GPU; who asks meanwhile waits. Should this process
die in between, the reconciler (`serving.reconcile`) wakes the servers once the night's lease has run out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from serving.fleet import Fleet
from store.errors import ModelUnavailable
from store.settings import Settings
from trainer.work import Say

WAKE_S = 180.0


@contextmanager
def freed(settings: Settings, say: Say) -> Iterator[None]:
    """Have the model servers off the GPU while the block runs, if `serving.while_training` is `sleep`.

    A server that cannot sleep or wake is told of by `say`, and does not stop the training.
    """
    if settings.serving.while_training != "sleep":
        yield
        return
    try:
        _try(settings, Fleet.sleep, say, "The model server sleeps while the night trains.")
        yield
    finally:
        _try(settings, _wake, say, "The model server is awake again.")


async def _wake(fleet: Fleet) -> None:
    await fleet.wake()
    await fleet.wait_ready(WAKE_S)


def _try(settings: Settings, act: Callable[[Fleet], Awaitable[None]], say: Say, done: str) -> None:
    async def acting() -> None:
        fleet = Fleet(settings)
        try:
            await act(fleet)
        finally:
            await fleet.aclose()

    try:
        asyncio.run(acting())
    except ModelUnavailable as unavailable:
        say(str(unavailable))
    else:
        say(done)

"""While the night trains, the model server is off the GPU, if the settings say so; that stops no night."""

import pytest

from serving.fleet import Fleet
from store.errors import ModelUnavailable
from store.settings import Settings
from trainer.gpu import freed


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the servers were told, in the place of their HTTP calls."""
    told: list[str] = []

    async def order(_: Fleet, __: str, path: str) -> None:
        told.append(path.partition("?")[0])

    async def ready(_: Fleet, __: float) -> None:
        told.append("ready")

    monkeypatch.setattr(Fleet, "_order", order)
    monkeypatch.setattr(Fleet, "wait_ready", ready)
    return told


def sleeping(settings: Settings) -> Settings:
    return settings.model_copy(update={"serving": settings.serving.model_copy(update={"while_training": "sleep"})})


def test_it_sleeps_for_as_long_as_the_training_takes(settings: Settings, orders: list[str]) -> None:
    said: list[str] = []
    with freed(sleeping(settings), said.append):
        assert orders == ["/sleep"]
    assert orders == ["/sleep", "/wake_up", "ready"]
    assert said == ["The model server sleeps while the night trains.", "The model server is awake again."]


def test_it_is_woken_when_the_training_fails(settings: Settings, orders: list[str]) -> None:
    with pytest.raises(KeyboardInterrupt), freed(sleeping(settings), print):
        raise KeyboardInterrupt
    assert orders[-1] == "ready"


def test_sharing_needs_no_orders(settings: Settings, orders: list[str]) -> None:
    with freed(settings, print):
        assert orders == []
    assert orders == []


def test_a_server_that_cannot_sleep_does_not_stop_the_night(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ModelUnavailable("It cannot sleep.")

    monkeypatch.setattr(Fleet, "_order", broken)
    said: list[str] = []
    with freed(sleeping(settings), said.append):
        trained = True
    assert trained
    assert said == ["It cannot sleep.", "It cannot sleep."]

"""The settings of a channel on both databases: defaults, the last admin's word, what is refused."""

import pytest

from store import channels
from store.errors import BadInput
from store.session import Store
from store.tables import Channel, now
from store.words import Answering


def chosen(**changed: object) -> Channel:
    fields = {"answering": Answering.QUESTIONS, "min_confidence": 0.4, "persona": " Be kind. ", "on_call": "S01"}
    return Channel(team_id="T1", channel_id="C1", **{**fields, **changed})


def test_without_a_row_the_defaults_hold(store: Store) -> None:
    with store.reading() as session:
        found = channels.settings_of(session, "T1", "C1")
    assert (found.answering, found.min_confidence, found.trainable) == (Answering.MENTIONS, 0.0, True)
    assert (found.documents, found.persona, found.on_call, found.noticed_at) == (True, "", "", None)


def test_the_last_admin_s_word_holds_in_that_channel_alone(store: Store) -> None:
    told = now()
    with store.writing() as session:
        session.add(Channel(team_id="T1", channel_id="C1", noticed_at=told))
    with store.writing() as session:
        channels.save(session, chosen(), "U1")
    with store.writing() as session:
        channels.save(session, chosen(answering=Answering.OFF, trainable=False), "U2")
    with store.reading() as session:
        found = channels.settings_of(session, "T1", "C1")
        other = channels.settings_of(session, "T2", "C1")
    assert (found.answering, found.trainable, found.persona) == (Answering.OFF, False, "Be kind.")
    assert (found.min_confidence, found.on_call, found.updated_by) == (0.4, "S01", "U2")
    assert found.noticed_at == told
    assert other.answering == Answering.MENTIONS


@pytest.mark.parametrize("wrong", [{"min_confidence": 1.1}, {"min_confidence": -0.1}, {"on_call": "C01"}])
def test_what_cannot_be_meant_is_refused(store: Store, wrong: dict[str, object]) -> None:
    with store.writing() as session, pytest.raises(BadInput):
        channels.save(session, chosen(**wrong), "U1")

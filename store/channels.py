"""The settings of a channel: what its admins chose, or the defaults where nobody chose anything."""

from sqlmodel import Session, col, or_, select, update

from store import audit
from store.audit import Act
from store.errors import BadInput
from store.session import insert_ignoring
from store.tables import Channel, now
from store.words import Answering, AuditAction

_CHOSEN = ("answering", "min_confidence", "trainable", "documents", "persona", "on_call")


def settings_of(session: Session, team_id: str, channel_id: str) -> Channel:
    """The settings of a channel; without a row the defaults, which are not stored by reading them."""
    found = session.get(Channel, (team_id, channel_id))
    return found or Channel(team_id=team_id, channel_id=channel_id, answering=Answering.MENTIONS)


def changed(session: Session) -> list[Channel]:
    """The channels whose settings differ from the default, the latest change first."""
    differs = or_(
        Channel.answering != Answering.MENTIONS,
        Channel.min_confidence > 0,
        col(Channel.trainable).is_(False),
        col(Channel.documents).is_(False),
        col(Channel.documents_only).is_(True),
        Channel.persona != "",
        Channel.on_call != "",
    )
    return list(session.exec(select(Channel).where(differs).order_by(col(Channel.updated_at).desc())))


def notice(session: Session, team_id: str, channel_id: str) -> bool:
    """Note that a channel is told what is stored and learnt; True the first time only."""
    insert_ignoring(session, Channel, {"team_id": team_id, "channel_id": channel_id})
    first = session.exec(
        update(Channel)
        .where(col(Channel.team_id) == team_id, col(Channel.channel_id) == channel_id)
        .where(col(Channel.noticed_at).is_(None))
        .values(noticed_at=now())
    )
    return bool(first.rowcount)


def save(session: Session, chosen: Channel, person_id: str) -> None:
    """Store what an admin chose for a channel. When the channel was told what is stored of it, stays as it is.

    Raises:
        BadInput: the threshold is no share of one, or on call is neither a person nor a user group.
    """
    if not 0.0 <= chosen.min_confidence <= 1.0:
        raise BadInput("The confidence must lie between 0 and 1; 0 means that I never say I am not sure.")
    if chosen.on_call and chosen.on_call[0] not in "SUW":
        raise BadInput("On call can be a person or a user group.")
    insert_ignoring(session, Channel, {"team_id": chosen.team_id, "channel_id": chosen.channel_id})
    row = session.get_one(Channel, (chosen.team_id, chosen.channel_id), with_for_update=True)
    changed = sorted(name for name in _CHOSEN if getattr(row, name) != getattr(chosen, name))
    # The persona is somebody's text, and who is on call is a person: that they changed is enough.
    facts = {name: getattr(chosen, name) for name in changed if name not in ("persona", "on_call")}
    about = f"channel {chosen.channel_id}"
    audit.note(session, Act(AuditAction.CHANNEL_SETTINGS, person_id, about, details={**facts, "changed": changed}))
    row.answering, row.min_confidence = chosen.answering, chosen.min_confidence
    row.trainable, row.documents = chosen.trainable, chosen.documents
    row.documents_only = chosen.documents and chosen.documents_only
    row.persona, row.on_call = chosen.persona.strip(), chosen.on_call
    row.updated_by, row.updated_at = person_id, now()

"""Block Kit: which blocks, elements and objects Slack accepts, and the ids it fills in."""

import secrets

from ..wire import Json


def with_ids(blocks: list[Json]) -> list[Json]:
    """The blocks, each with a block id: Slack makes one up where the app gave none."""
    return [{**block, "block_id": block.get("block_id") or secrets.token_hex(3)} for block in blocks]

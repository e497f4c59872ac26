"""What crosses the wire: JSON objects as Slack writes them, and the arguments of one call however they were encoded."""

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField

from .errors import SlackError, invalid_arguments

Json = dict[str, Any]
"""One JSON object in Slack's own shape: messages, views, events and blocks stay as Slack writes them."""


@dataclass(frozen=True)
class Arguments:
    """The arguments of one Web API call; form values are strings, JSON values are typed, and both read alike."""

    values: Json

    def text(self, name: str) -> str | None:
        """The argument as text, or None when it is absent or empty."""
        value = self.values.get(name)
        return None if value is None or value == "" else str(value)

    def need(self, name: str) -> str:
        """The argument as text; raises `invalid_arguments` when it is absent."""
        value = self.text(name)
        if value is None:
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def flag(self, name: str) -> bool:
        """The argument as a truth value: clients send true, "true", 1 or "1"."""
        return str(self.values.get(name, "")).lower() in ("true", "1")

    def integer(self, name: str, default: int, highest: int = 1000) -> int:
        """The argument as a whole number from 1 to `highest`."""
        value = self.text(name)
        if value is None:
            return default
        if not value.isdecimal() or not 1 <= int(value) <= highest:
            raise invalid_arguments(f"{name} must be a number from 1 to {highest}")
        return int(value)

    def data(self, name: str, code: str = "invalid_arguments") -> Any:
        """The argument as JSON data: forms carry it as a string; raises `code` when that string is not JSON."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if value == "":
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(code) from None

    def objects(self, name: str, code: str = "invalid_arguments") -> list[Json]:
        """The argument as a list of JSON objects, empty when absent; raises `code` when it is anything else."""
        value = self.data(name, code) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise SlackError(
                code, response_metadata={"messages": [f"[ERROR] must provide an array of objects: {name}"]}
            )
        return value

    def texts(self, name: str) -> list[str]:
        """The argument as a list of texts, empty when absent."""
        value = self.data(name) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid_arguments(f"must provide an array of strings [json-pointer:/{name}]")
        return value


async def read_arguments(request: web.Request) -> Arguments:
    """The arguments of a request: query, then a JSON, form or multipart body, which may be empty."""
    values: Json = dict(request.query)
    if request.content_type == "application/json":
        values.update(_json_object(await request.text()))
    elif request.can_read_body:
        form = await request.post()
        values.update({name: value for name, value in form.items() if not isinstance(value, FileField)})
    return Arguments(values)


def _json_object(body: str) -> Json:
    if not body.strip():
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise SlackError("invalid_json") from None
    if not isinstance(value, dict):
        raise SlackError("json_not_object")
    return value

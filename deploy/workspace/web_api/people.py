"""`auth.test`, `users.*`, `bots.info`, `team.info` and the other methods about who is who."""

from .. import messages
from ..block_kit import check
from ..errors import SlackError, invalid_arguments
from ..wire import Json
from .call import Call


async def api_test(call: Call) -> Json:
    """Says what was sent, or fails as asked."""
    if error := call.arguments.text("error"):
        raise SlackError(error, args=call.arguments.values)
    return {"args": {name: value for name, value in call.arguments.values.items() if name != "token"}}


async def auth_test(call: Call) -> Json:
    """Who the token speaks for."""
    seed = call.workspace.seed
    return {
        "url": f"{call.workspace.url}/",
        "team": seed.team_name,
        "user": call.workspace.directory.bot.name,
        "team_id": seed.team_id,
        "user_id": seed.bot_user_id,
        "bot_id": seed.bot_id,
        "is_enterprise_install": False,
    }


async def open_connection(call: Call) -> Json:
    """`apps.connections.open`: where to open a Socket Mode connection, once."""
    ticket = call.workspace.sockets.ticket()
    address = call.workspace.url.replace("http://", "ws://", 1)
    return {"url": f"{address}/link/?ticket={ticket}&app_id={call.workspace.seed.app_id}"}


async def user_info(call: Call) -> Json:
    """One person."""
    directory = call.workspace.directory
    return {"user": directory.user_object(directory.person(call.arguments.need("user")))}


async def user_list(call: Call) -> Json:
    """Everyone."""
    directory = call.workspace.directory
    members = [directory.user_object(person) for person in directory.people.values()]
    return {"members": members, "cache_ts": 0, "response_metadata": {"next_cursor": ""}}


async def usergroup_list(call: Call) -> Json:
    """The user groups, with their members when `include_users` asks for them."""
    directory = call.workspace.directory
    listed = []
    for group in directory.usergroups.values():
        shown = directory.usergroup_object(group)
        listed.append({**shown, "users": list(group.users)} if call.arguments.flag("include_users") else shown)
    return {"usergroups": listed}


async def usergroup_members(call: Call) -> Json:
    """The people of one user group."""
    group = call.workspace.directory.usergroups.get(call.arguments.need("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


async def bot_info(call: Call) -> Json:
    """The app's bot."""
    wanted = call.arguments.text("bot")
    if wanted not in (None, call.workspace.seed.bot_id):
        raise SlackError("bot_not_found")
    return {"bot": messages.bot_profile(call.workspace)}


async def team_info(call: Call) -> Json:
    """The team."""
    seed = call.workspace.seed
    return {"team": {"id": seed.team_id, "name": seed.team_name, "domain": "local", "email_domain": "", "icon": {}}}


async def validate_blocks(call: Call) -> Json:
    """`blocks.validate`: whether blocks, a message or a view would be accepted, without posting."""
    given = [name for name in ("blocks", "message", "view") if call.arguments.data(name)]
    if len(given) != 1:
        raise invalid_arguments("exactly one of blocks, message and view is required")
    value = call.arguments.data(given[0])
    if given[0] == "view":
        problems = check.view(value)
    elif given[0] == "message":
        problems = (
            check.blocks(value.get("blocks", [])) if isinstance(value, dict) else ["[ERROR] must provide an object"]
        )
    else:
        problems = check.blocks(value)
    if problems:
        raise SlackError("invalid_blocks", errors=problems, response_metadata={"messages": problems})
    return {}

"""What people can do in the page, without an app."""

from deploy.workspace.server import Running
from tests.fixtures_workspace import ANA, SUPPORT, TOM, Person


async def test_a_post_reaches_the_others_and_the_thread_counts(workspace: Running) -> None:
    async with Person(workspace, ANA) as ana, Person(workspace, TOM) as tom:
        root = await ana.post(SUPPORT, "Is 1 < 2 & true? see https://example.com @tom")
        seen = await tom.wait_for_message(lambda message: message["ts"] == root)
        assert seen["text"] == f"Is 1 &lt; 2 &amp; true? see <https://example.com> <@{TOM}>"
        reply = await tom.post(SUPPORT, "yes", thread_ts=root)
        parent, answer = await ana.messages(SUPPORT, root)
        assert (parent["reply_count"], parent["reply_users"], parent["latest_reply"]) == (1, [TOM], reply)
        assert (answer["ts"], answer["thread_ts"]) == (reply, root)
        assert [message["ts"] for message in await ana.messages(SUPPORT)] == [root]

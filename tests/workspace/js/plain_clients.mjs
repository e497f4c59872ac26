// Slack's @slack/socket-mode and @slack/web-api by themselves: one event in, then post, update, react and read back.
import { SocketModeClient } from "@slack/socket-mode";
import { WebClient } from "@slack/web-api";

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const slackApiUrl = process.env.SLACK_API_URL;
const web = new WebClient(process.env.SLACK_BOT_TOKEN, { slackApiUrl });
const socket = new SocketModeClient({ appToken: process.env.SLACK_APP_TOKEN, clientOptions: { slackApiUrl } });

socket.on("message", async ({ event, ack }) => {
  await ack();
  if (event.bot_id || event.subtype) return;
  const posted = await web.chat.postMessage({ channel: event.channel, thread_ts: event.ts, text: "posted" });
  await web.chat.update({ channel: event.channel, ts: posted.ts, text: "updated" });
  await web.reactions.add({ channel: event.channel, timestamp: event.ts, name: "eyes" });
  const thread = await web.conversations.replies({ channel: event.channel, ts: event.ts });
  const refused = await web.chat.postMessage({ channel: "C0NOWHERE01", text: "x" }).catch((error) => error.data);
  say({ texts: thread.messages.map((message) => message.text), refused: refused.error });
});

const who = await web.auth.test();
await socket.start();
say({ ready: true, bot: who.bot_id });
// Longer than the five seconds after which Node's client gives up on a server that does not answer its pings.
setTimeout(() => say({ stillConnected: true }), 7000);

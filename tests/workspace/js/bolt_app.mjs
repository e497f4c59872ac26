// Slack's Bolt for JavaScript, unmodified: answers a mention by a stream, a click by an update, a form by its errors.
// Prints one JSON line for each thing that it heard.
import bolt from "@slack/bolt";

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const button = { type: "button", action_id: "done", text: { type: "plain_text", text: "Done" }, value: "yes" };
const form = {
  type: "modal",
  callback_id: "why",
  title: { type: "plain_text", text: "Why?" },
  submit: { type: "plain_text", text: "Send" },
  blocks: [
    {
      type: "input",
      block_id: "reason",
      label: { type: "plain_text", text: "Reason" },
      element: { type: "plain_text_input", action_id: "text" },
    },
  ],
};

const app = new bolt.App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: true,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

app.event("app_mention", async ({ event, client, context }) => {
  say({ heard: "app_mention", text: event.text });
  const stream = client.chatStream({
    channel: event.channel,
    thread_ts: event.ts,
    recipient_team_id: context.teamId,
    recipient_user_id: event.user,
    buffer_size: 1,
  });
  await stream.append({ markdown_text: "From " });
  await stream.append({ markdown_text: "**Node**" });
  await stream.stop({ blocks: [{ type: "actions", block_id: "row", elements: [button] }] });
});
app.event("message", async () => {});
app.action("done", async ({ ack, body, client }) => {
  await ack();
  await client.chat.update({ channel: body.channel.id, ts: body.message.ts, text: "Updated by Node" });
  await client.views.open({ trigger_id: body.trigger_id, view: form });
});
app.view("why", async ({ ack, view }) => {
  const { value } = view.state.values.reason.text;
  if (value.length < 5) await ack({ response_action: "errors", errors: { reason: "Too short" } });
  else await ack();
  say({ heard: "view_submission", value });
});
app.command("/ask", async ({ ack, command }) => ack(`Node heard ${command.text}`));

await app.start();
say({ ready: true });

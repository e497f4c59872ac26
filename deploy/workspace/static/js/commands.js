/** Slash commands: the app's own go to the app, the workspace's own (Slack's /invite, /remove, /leave) are done here. */

import { post } from "./api.js";
import { encode } from "./slack_text.js";
import { state } from "./state.js";

/** The commands that Slack itself has; here only those that bring people and the app into a channel and out of it. */
export const OWN_COMMANDS = [
  { command: "/invite", usage_hint: "@someone", description: "Bring a person or the app into this channel" },
  { command: "/remove", usage_hint: "@someone", description: "Take a person or the app out of this channel" },
  { command: "/leave", usage_hint: "", description: "Leave this channel" },
];

/** Runs a typed slash command at `place` ({channel, thread_ts?}); raises Refused. */
export function runCommand(place, command, text) {
  if (state.app.commands.some((known) => known.command === command))
    return post("/page/command", { ...place, command, text });
  const user = /<@(\w+)>/.exec(encode(text))?.[1] ?? "";
  if (command === "/invite") return post("/page/invite", { ...place, user });
  if (command === "/remove") return post("/page/leave", { ...place, user });
  if (command === "/leave") return post("/page/leave", place);
  return post("/page/command", { ...place, command, text });
}

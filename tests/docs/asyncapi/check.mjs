// Reads an AsyncAPI document with AsyncAPI's own parser; tells what is wrong, and what it understood.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const text = await readFile(process.argv[2], "utf8");
const { document, diagnostics } = await new Parser().parse(text);
const problems = diagnostics.map(({ severity, message, path }) => ({ severity, message, path: path.join("/") }));
const channels = (document?.channels().all() ?? []).map((channel) => ({
  address: channel.address(),
  messages: channel.messages().all().map((message) => ({
    name: message.name(),
    examples: message.examples().all().length,
    hasPayload: message.hasPayload(),
  })),
}));
console.log(JSON.stringify({ version: document?.version(), problems, channels }));

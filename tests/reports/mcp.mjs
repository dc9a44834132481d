// A client of the Model Context Protocol, the public SDK: lists the tools of `ready mcp` in the working directory and calls
// them. Says what came as JSON; whoever runs it judges.
//
// usage: node mcp.mjs NODE_MODULES READY CHECK…     (no CHECK: all)
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, ready, ...checks] = process.argv.slice(2);
const sdk = (file) => import(pathToFileURL(path.join(path.resolve(modules), "@modelcontextprotocol", "sdk", "dist", "esm", "client", file)).href);
const { Client } = await sdk("index.js");
const { StdioClientTransport } = await sdk("stdio.js");

const client = new Client({ name: "test", version: "1" });
await client.connect(new StdioClientTransport({ command: ready, args: ["mcp"], env: process.env, stderr: "inherit" }));
const call = (name, args = {}) => client.callTool({ name, arguments: args }, undefined, { timeout: 300_000 });
const { tools } = await client.listTools();
const seen = {
  server: client.getServerVersion(),
  instructions: client.getInstructions(),
  tools: tools.map((tool) => ({ name: tool.name, description: tool.description, readOnly: tool.annotations?.readOnlyHint, input: Object.keys(tool.inputSchema.properties ?? {}) })),
};
seen.statusBefore = await call("status");
seen.check = await call("check", { checks });
seen.status = await call("status");
seen.plan = await call("plan");
seen.claims = await call("claims");
seen.explain = await call("explain", { check: seen.check.structuredContent.checks[0].id });
seen.unknown = await call("explain", { check: "--version" });
seen.wrong = await call("check", { gate: "no-such-gate" });
await client.close();
console.log(JSON.stringify(seen));

// Copies the page and its modules to dist/, each module under a name that changes with its text.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
cpSync("public", "dist", { recursive: true });
mkdirSync("dist/assets");

const modules = Object.fromEntries(
  readdirSync("src").map((name) => {
    const hash = createHash("sha256").update(readFileSync(`src/${name}`)).digest("hex").slice(0, 8);
    return [name, name.replace(".js", `.${hash}.js`)];
  }),
);
for (const [name, hashed] of Object.entries(modules)) {
  const text = readFileSync(`src/${name}`, "utf8");
  const linked = text.replace(/from "\.\/([\w-]+\.js)"/g, (_, other) => `from "./${modules[other]}"`);
  writeFileSync(`dist/assets/${hashed}`, linked);
}
const page = readFileSync("dist/index.html", "utf8");
writeFileSync("dist/index.html", page.replace("/src/main.js", `assets/${modules["main.js"]}`));

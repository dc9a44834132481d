// Opens a report in a real browser: axe at two widths in both colour schemes, the filter, a check, a claim that leads to its
// check, reading without JavaScript, printing. Says what it saw as JSON; whoever runs it judges.
//
// usage: node browser.mjs NODE_MODULES CHROMIUM REPORT.html FOLDER [once]     once: axe at one width, in one scheme
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, executablePath, report, folder, once] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(modules), "..", "index.js"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core"), "utf8");
const url = pathToFileURL(path.resolve(report)).href;

const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const seen = { axe: [], complaints: [], requests: [], overflow: [] };

const open = async (options) => {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  // A loaded machine takes its time: only what never comes is given up.
  page.setDefaultTimeout(300_000);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.complaints.push(message.text()));
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  page.on("dialog", (dialog) => { seen.complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => request.url().split("#")[0] !== url && seen.requests.push(request.url()));
  await page.goto(url);
  return page;
};

for (const colorScheme of once ? ["light"] : ["light", "dark"]) {
  for (const width of once ? [390] : [1280, 390]) {
    const page = await open({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
    await page.screenshot({ path: path.join(folder, `${colorScheme}-${width}-first.png`) });
    await page.click("#open-all");
    await page.screenshot({ path: path.join(folder, `${colorScheme}-${width}.png`), fullPage: true });
    seen.overflow.push(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth));
    for (const name of ["claims", "trend", "timeline"]) {
      const section = page.locator(`section[aria-labelledby=${name}]`);
      if (await section.count()) await section.screenshot({ path: path.join(folder, `${colorScheme}-${width}-${name}.png`) });
    }
    // A collapsed part is not looked at: all are open here.
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
    await page.evaluate(axe);
    const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations", "incomplete"] }));
    for (const found of result.violations) {
      seen.axe.push(`${colorScheme} ${width}: ${found.id}: ${found.help}: ${found.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
    }
    await page.context().close();
  }
}

const page = await open({ viewport: { width: 1280, height: 900 } });
const shown = () => page.locator("#check-list > li:visible");
seen.heading = await page.locator("h1").innerText();
seen.checks = await shown().count();
seen.shown = await page.locator("#shown").innerText();
const first = await shown().first().locator("summary b").innerText();
await page.fill("#filter-text", first);
seen.filtered = await shown().locator("summary b").allInnerTexts();
seen.searched = first;
await page.fill("#filter-text", "no such check anywhere");
seen.none = await shown().count();
await page.fill("#filter-text", "");
for (const box of await page.locator("#filter input[type=checkbox]").all()) {
  if ((await box.getAttribute("value")) !== "failed") await box.uncheck();
}
seen.failed = await shown().count();
seen.failedOfAll = await page.locator("#check-list > li[data-verdict=failed]").count();

// By keyboard: the summary takes the focus, Enter opens it.
const summary = shown().first().locator("summary");
await summary.focus();
await page.keyboard.press("Enter");
seen.opened = await shown().first().locator(".check-body").innerText();
await page.screenshot({ path: path.join(folder, "opened.png") });

// A claim leads to its check, also where the filter hides that.
const links = page.locator("section[aria-labelledby=claims] a");
seen.claims = await page.locator("#claim-list > li").count();
if (await links.count()) {
  const link = links.last();
  seen.claimed = await link.innerText();
  await link.click();
  const led = page.locator("#check-list > li:has(details[open]) summary b", { hasText: new RegExp(`^${seen.claimed}$`) });
  await led.waitFor({ state: "visible" });
  seen.ledTo = await led.innerText();
  await page.screenshot({ path: path.join(folder, "claim.png") });
}
const pdf = await page.pdf({ path: path.join(folder, "report.pdf"), format: "A4", printBackground: true });
seen.pdf = pdf.subarray(0, 5).toString();
seen.pages = (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length;
await page.emulateMedia({ media: "print" });
await page.screenshot({ path: path.join(folder, "print.png"), fullPage: true });
await page.context().close();

const plain = await open({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
seen.withoutScript = {
  checks: await plain.locator("#check-list > li:visible").count(),
  filter: await plain.locator("#filter:visible").count(),
};
await plain.locator("#check-list summary").first().click();
seen.withoutScript.opened = await plain.locator("#check-list .check-body").first().isVisible();
await plain.context().close();
await browser.close();
console.log(JSON.stringify(seen));

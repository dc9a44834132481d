// Reads reports with readers of others, and says what they made of them as JSON: junit2json, ctrf, html-validate.
//
// usage: node validate.mjs NODE_MODULES JUNIT.xml CTRF.json REPORT.html
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, junit, ctrf, html] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(modules), "..", "index.js"));
const text = (file) => readFileSync(file, "utf8");
const esm = (...parts) => import(pathToFileURL(path.join(path.resolve(modules), ...parts)).href);

const { parse } = await esm("junit2json", "dist", "esm", "index.js");
const suites = await parse(text(junit));
const cases = suites.testsuite.flatMap((suite) => suite.testcase ?? []);
const number = (kind) => cases.filter((one) => one[kind]?.length).length;

const { validate } = require("ctrf");
const { HtmlValidate } = require("html-validate");
const checked = await new HtmlValidate({ extends: ["html-validate:recommended", "html-validate:a11y"] }).validateString(text(html));

console.log(
  JSON.stringify({
    junit: { tests: cases.length, header: suites.tests, failures: number("failure"), errors: number("error"), skipped: number("skipped"), names: new Set(cases.map((one) => `${one.classname}/${one.name}`)).size },
    ctrf: validate(JSON.parse(text(ctrf))),
    html: checked.results.flatMap((result) => result.messages.map((one) => `${one.line}:${one.column} ${one.ruleId}: ${one.message}`)),
  }),
);

// Writes the page with its script in it to dist/index.html.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import colors from "picocolors";

const script = readFileSync("src/result.js", "utf8").replaceAll("export ", "");
const page = `<!doctype html>
<meta charset="utf-8">
<title>Polls</title>
<ol id="result"></ol>
<script type="module">
${script}
const result = await (await fetch(\`/api/polls/\${location.hash.slice(1)}\`)).json();
document.querySelector("#result").innerHTML = bars(result).map((bar) => \`<li>\${bar}</li>\`).join("");
</script>
`;
mkdirSync("dist", { recursive: true });
writeFileSync("dist/index.html", page);
console.log(colors.green(`dist/index.html: ${page.length} bytes`));

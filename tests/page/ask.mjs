/**
 * Calls functions of the page in Node: `node ask.mjs SITE < tasks.json > answers.json`. A task names a module, an export
 * and arguments; arrays of bytes travel as {"bytes": base64}. `predict` runs the whole path on pixels.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const site = pathToFileURL(join(process.argv[2], "/"));

// The page's own download code runs; only the host is a folder.
globalThis.fetch = async (url) => new Response(readFileSync(fileURLToPath(new URL(new URL(url).pathname, "file:"))));

const revived = (_key, value) => (value?.bytes === undefined ? value : new Uint8Array(Buffer.from(value.bytes, "base64")));
const plain = (_key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);

async function predictor() {
  const { readSite } = await import(new URL("js/engine/site.js", site));
  const { openPredictor } = await import(new URL("js/engine/open.js", site));
  return openPredictor(await readSite(new URL("site.json", site)), site, () => {});
}

const answers = [];
let opened;
for (const { module, name, args } of JSON.parse(readFileSync(0, "utf8"), revived)) {
  if (name === "predict") {
    opened ??= await predictor();
    answers.push(await opened.predict(...args));
  } else {
    answers.push((await import(new URL(`js/${module}`, site)))[name](...args));
  }
}
process.stdout.write(JSON.stringify(answers, plain));

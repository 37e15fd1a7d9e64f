/**
 * Makes `dist/`, a folder of static files that any web server can host, of the sources, LiteRT's files and the models.
 *
 *     node tools/build.js
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DIST = path.join(ROOT, "dist");
const OWN = ["index.html", "style.css", "icon.svg", "manifest.webmanifest", "src"];
const LITERT = path.join(ROOT, "node_modules/@litertjs");
const VARIANTS = ["internal", "compat_internal", "threaded_internal"]; // fast, for old browsers, with threads
const FIRST = new Set(["litert/wasm/litert_wasm_internal.js", "litert/wasm/litert_wasm_internal.wasm"]);

if (!existsSync(path.join(ROOT, "build/models/models.json"))) {
  throw new Error("build/models is empty: run make web, or python web_demo/tools/models.py first");
}
rmSync(DIST, { recursive: true, force: true });
mkdirSync(path.join(DIST, "litert/wasm"), { recursive: true });
for (const name of OWN) cpSync(path.join(ROOT, name), path.join(DIST, name), { recursive: true });
cpSync(path.join(ROOT, "build/models"), path.join(DIST, "models"), { recursive: true });
cpSync(path.join(LITERT, "core/dist/index.js"), path.join(DIST, "litert/core.js"));
cpSync(path.join(LITERT, "wasm-utils/dist/index.js"), path.join(DIST, "litert/wasm-utils.js"));
for (const variant of VARIANTS) {
  for (const ending of ["js", "wasm"]) {
    const name = `litert_wasm_${variant}.${ending}`;
    cpSync(path.join(LITERT, "core/wasm", name), path.join(DIST, "litert/wasm", name));
  }
}
const page = readFileSync(path.join(DIST, "index.html"), "utf8");
writeFileSync(path.join(DIST, "index.html"), page.replace("IMPORT_MAP_HASH", hashOfImportMap(page)));
const kept = filesBelow(DIST).filter(keptOffline);
const version = createHash("sha256");
for (const file of kept) version.update(file).update(readFileSync(path.join(DIST, file)));
const worker = readFileSync(path.join(ROOT, "service_worker.js"), "utf8");
const list = JSON.stringify({ version: version.digest("hex").slice(0, 12), files: ["./", ...kept] });
writeFileSync(path.join(DIST, "service_worker.js"), worker.replace("(FILES)", `(${list})`));
console.log(`dist: ${filesBelow(DIST).length} files, ${kept.length} of them kept offline`);

/** Names below a folder, with slashes. */
function filesBelow(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}

/** All but what a visit may do without: other models and variants of the runtime are kept when they are used. */
function keptOffline(file) {
  const models = JSON.parse(readFileSync(path.join(DIST, "models/models.json"), "utf8"));
  if (file.startsWith("litert/wasm/")) return FIRST.has(file);
  return !file.endsWith(".cunet") || file === `models/${models[0].file}`;
}

/** What the content security policy calls the one inline script. */
function hashOfImportMap(text) {
  const [, script] = text.match(/<script type="importmap">([^]*?)<\/script>/) ?? [];
  return `sha256-${createHash("sha256")
    .update(script ?? "")
    .digest("base64")}`;
}

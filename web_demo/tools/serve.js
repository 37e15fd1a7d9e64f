/**
 * Serves `dist/` on localhost, with the headers that threads need.
 *
 *     node tools/serve.js [--port=8000] [--no-isolation]
 */
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));
/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".json": "application/json",
  ".wasm": "application/wasm", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json",
}; // prettier-ignore
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/**
 * A running server; port 0 takes a free one.
 * @param {number} port
 * @param {boolean} isolated
 */
export function serve(port, isolated = true) {
  const server = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = path.join(DIST, name.endsWith("/") ? `${name}index.html` : name);
    if (!file.startsWith(DIST) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end("not found");
      return;
    }
    const type = TYPES[path.extname(file)] ?? "application/octet-stream";
    const length = statSync(file).size;
    response.writeHead(200, { "Content-Type": type, "Content-Length": length, ...(isolated ? ISOLATION : {}) });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const given = process.argv.find((each) => each.startsWith("--port="));
  const server = await serve(Number(given?.split("=")[1] ?? 8000), !process.argv.includes("--no-isolation"));
  console.log(`http://localhost:${server.address().port}/`);
}

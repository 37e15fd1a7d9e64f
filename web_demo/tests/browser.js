/** Headless Chromium with the built page. */
import { chromium } from "playwright-core";

import { serve } from "../tools/serve.js";

const PROGRAM = process.env.CHROMIUM ?? "/usr/bin/chromium"; // tools/check.py looks for it
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const RUNTIME = /^(INFO|WARNING): /; // what LiteRT tells of itself
export const ROOT = new URL("../../", import.meta.url);

/**
 * A browser.
 * @param {string[]} flags More of them.
 */
export function start(flags = []) {
  return chromium.launch({ executablePath: PROGRAM, args: [...FLAGS, ...flags] });
}

/**
 * A served page, ready to be used.
 * @param {import("playwright-core").BrowserContext} context
 * @param {number} port
 * @param {string} [query]
 */
export async function ready(context, port, query = "") {
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" && !RUNTIME.test(message.text())) console.error("page:", message.text());
  });
  page.on("pageerror", (error) => console.error("page:", error.message));
  await page.goto(`http://localhost:${port}/index.html${query}`);
  await settled(page);
  return page;
}

/** Until the page has done what it was asked for. */
export async function settled(page) {
  await page.waitForFunction(() => document.body.dataset.state === "ready", undefined, { timeout: 60000 });
}

/**
 * Chooses a file.
 * @param {import("playwright-core").Page} page
 * @param {string | {name: string, mimeType: string, buffer: Buffer}} file In the repository, or its content.
 */
export async function choose(page, file) {
  await page.setInputFiles("#picture", typeof file === "string" ? new URL(file, ROOT).pathname : file);
  await settled(page);
}

/** What the page has found. */
export async function found(page) {
  return JSON.parse((await page.textContent("#points")) || "null");
}

export const status = (page) => page.textContent("#status");
export { serve };

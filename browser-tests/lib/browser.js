// Chromium with everything switched off that talks to anybody, and contexts that keep what went wrong.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

/** Logins of the demo (server/src/demo.rs). */
export const LOGINS = {
  clerk: "clerk-1",
  handler: "handler-1",
  lead: "lead-1",
  care: "care-1",
  health: "health-1",
  health2: "health-2",
  system: "system-1",
  auditor: "audit-1",
  operations: "kanri-1",
  second: "kanri-2",
  citizen: "citizen-1",
  contractor: "vendor-1",
};

export function launch() {
  return chromium.launch({
    executablePath: process.env.MIMAMORI_CHROMIUM || "/usr/bin/chromium",
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
}

// A page that answers 4xx is reported by the browser itself; every test of a refusal would see it.
// The room's form asks for the focus, which a browser does not give to a frame of another origin.
const OWN_STATUS = /^Failed to load resource: the server responded with a status of 4\d\d |^Blocked autofocusing on a <input> element in a cross-origin subframe\.$/;

/** What a frame asks of another port of the same host: the room of the individual numbers (decision 0027). */
function roomAsked(request, demo) {
  return request.frame().parentFrame() !== null && new URL(request.url()).hostname === new URL(demo.url).hostname;
}

/** A page in a context of its own. `wrong` collects console errors and requests to other hosts. */
export async function open(browser, demo, options = {}) {
  const context = await browser.newContext({
    baseURL: demo.url,
    locale: "ja-JP",
    timezoneId: "Asia/Tokyo",
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(15_000);
  const wrong = [];
  context.on("console", (message) => {
    const text = message.text();
    const told = ["error", "warning"].includes(message.type());
    if (told && !OWN_STATUS.test(text)) wrong.push(`console: ${text}`);
  });
  context.on("weberror", (error) => wrong.push(`script: ${error.error().message}`));
  context.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${demo.url}/`) && !roomAsked(request, demo)) wrong.push(`request: ${url}`);
  });
  const page = await context.newPage();
  return { context, page, wrong };
}

/** Opens a context, runs the story, and demands that nothing went wrong beside it. */
export async function scene(browser, demo, options, story) {
  const { context, page, wrong } = await open(browser, demo, options);
  try {
    const result = await story(page, context);
    assert.deepEqual(wrong, [], "no console error and no request to another host");
    return result;
  } finally {
    await context.close();
  }
}

/** Chooses a role of the demo. */
export async function enter(page, who) {
  await page.goto("/demo");
  await page.locator(`form:has(input[name=login][value="${LOGINS[who]}"]) button`).click();
  await page.getByRole("heading", { level: 1, name: "ホーム" }).waitFor();
}

/** Searches with 受付の種類 窓口. */
export async function search(page, fields) {
  await page.goto("/residents/search");
  await page.locator("#channel").selectOption({ label: "窓口" });
  for (const [name, value] of Object.entries(fields)) await page.locator(`#${name}`).fill(value);
  await page.getByRole("button", { name: "検索する" }).click();
  await page.getByRole("heading", { level: 1, name: /検索結果/ }).waitFor();
}

const PREFIXES = ["やま", "さと", "すず", "た", "か", "こ", "い", "お", "な", "は", "ま", "み", "き", "の", "あ", "う"];

/** The address of a record in whose row the badge stands, found as a person would find it. */
export async function findWithBadge(page, badge, without = []) {
  for (const kana of PREFIXES) {
    await search(page, { kana });
    for (;;) {
      let rows = page.locator("tbody tr").filter({ has: page.locator(".badge", { hasText: badge }) });
      for (const other of without) rows = rows.filter({ hasNot: page.locator(".badge", { hasText: other }) });
      if (await rows.count()) {
        const href = await rows.first().locator("th a").getAttribute("href");
        return { kana, row: rows.first(), href, path: href.split("?")[0] };
      }
      const next = page.locator(".pagination a[rel=next]");
      if (!(await next.count())) break;
      await next.click();
    }
  }
  throw new Error(`no row with the badge ${badge} in this town`);
}

/** What a definition list says to a term. */
export function term(page, name) {
  return page.locator("dl.definitions > div").filter({ has: page.locator("dt", { hasText: new RegExp(`^${name}$`) }) }).locator("dd");
}

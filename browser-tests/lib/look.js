// What every page owes: no violation that axe-core knows of, one heading, no sideways scrolling, and the manual's picture of it.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { small } from "./picture.js";

const axe = createRequire(import.meta.url)("axe-core");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const BLESS = process.env.MIMAMORI_BLESS === "1";
const MANUAL = new URL("../../docs/manual/", import.meta.url);
const PICTURES = new URL("pictures/", MANUAL);
/** Bytes of a picture of the manual. */
const LARGEST = 150_000;
/** A bold label of the manual, or a picture of its own or of the tour. */
const NAMED = /\*\*「([^」]+)」\*\*|\]\((?:pictures|\.\.\/tour)\/([^)]+)\.png\)/g;
/** Width of a picture of the manual, and its height at most, in pixels. */
const WIDTH = 1200;
const TALLEST = 1200;

/** Fails on what axe finds (in a frame of another origin nothing is looked at), on a second heading of the page, and when a screen of 320 pixels scrolls sideways. */
export async function sound(page) {
  await page.waitForLoadState();
  await page.evaluate(axe.source);
  const found = await page.evaluate((values) => globalThis.axe.run(document, { iframes: false, runOnly: { type: "tag", values } }), TAGS);
  const told = found.violations.map((v) => `${v.id}: ${v.help} — ${v.nodes.map((n) => n.html).join(" | ")}`);
  assert.deepEqual(told, [], page.url());
  assert.ok(found.passes.length > 5, "axe did look");
  assert.equal(await page.locator("h1").count(), 1, "one heading of the page");
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 800 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 320, `${page.url()} is ${wide} wide on a screen of 320`);
  await page.setViewportSize(before);
}

/**
 * The manual's pictures, each with the bold labels 「…」 that stand before it since the picture before.
 * Shape: [{ file, picture, labels }]; labels without a picture after them have picture "".
 */
export function steps() {
  const files = readdirSync(MANUAL).filter((name) => name.endsWith(".md")).sort();
  return files.flatMap((file) => {
    const out = [];
    let labels = [];
    for (const [, label, picture] of readFileSync(new URL(file, MANUAL), "utf8").matchAll(NAMED)) {
      if (label) labels.push(label);
      else {
        out.push({ file, picture, labels });
        labels = [];
      }
    }
    return labels.length ? [...out, { file, picture: "", labels }] : out;
  });
}

/** Every word on the page that a manual may name: text, choices, values of buttons. */
function words(page) {
  return page.evaluate(() => {
    const choices = [...document.querySelectorAll("option")].map((o) => o.label);
    return [document.body.innerText, ...choices].join("\n");
  });
}

/** Demands that the page says every label that the manuals name before their picture of it. */
export async function named(page, picture) {
  const said = await words(page);
  for (const { file, labels } of steps().filter((step) => step.picture === picture)) {
    for (const label of labels) assert.ok(said.includes(label), `${file} names 「${label}」, which is not on the page of ${picture}`);
  }
}

/** A page that must be sound, and that the manual shows as `picture` (from the heading `from` on) when one is named. */
export async function look(page, picture = "", from = "") {
  await sound(page);
  if (!picture) return;
  await named(page, picture);
  const before = page.viewportSize();
  await page.setViewportSize({ width: WIDTH, height: 800 });
  // Places are told from the top of the window, and a form that was filled stands scrolled.
  await page.evaluate(() => window.scrollTo(0, 0));
  const top = from ? (await page.getByRole("heading", { level: 2, name: from, exact: true }).boundingBox()).y - 12 : 0;
  const bottom = await page.evaluate(() => document.querySelector("main").lastElementChild.getBoundingClientRect().bottom + 12);
  const height = Math.min(Math.ceil(bottom - top), TALLEST);
  const png = small(await page.screenshot({ animations: "disabled", caret: "hide", fullPage: true, clip: { x: 0, y: top, width: WIDTH, height } }));
  await page.setViewportSize(before);
  assert.ok(png.length <= LARGEST, `${picture} has ${png.length} bytes`);
  if (BLESS) {
    mkdirSync(PICTURES, { recursive: true });
    writeFileSync(new URL(`${picture}.png`, PICTURES), png);
  }
}

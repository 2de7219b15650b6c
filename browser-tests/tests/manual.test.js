// The manual and the tour against what the browser tests show: no picture that nobody takes, no label without its picture.

import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { test } from "node:test";
import { steps } from "../lib/look.js";

const DOCS = new URL("../../docs/", import.meta.url);
const read = (url) => readFileSync(url, "utf8");
const sources = ["../lib/changes.js", ...readdirSync(new URL(".", import.meta.url)).filter((n) => n !== "manual.test.js").map((n) => `./${n}`)]
  .map((name) => read(new URL(name, import.meta.url))).join("\n");
const taken = (folder) => readdirSync(new URL(folder, DOCS)).filter((name) => name.endsWith(".png")).map((name) => name.slice(0, -4)).sort();

test("every picture that a manual names is there, small, and taken by a test", () => {
  assert.ok(steps().length > 20, "the manuals have pictures");
  for (const { file, picture } of steps()) {
    assert.ok(picture, `${file}: labels at its end have no picture`);
    const place = [`manual/pictures/${picture}.png`, `tour/${picture}.png`].find((p) => statSync(new URL(p, DOCS), { throwIfNoEntry: false }));
    assert.ok(place, `${file} names ${picture}, which is not there`);
    assert.ok(statSync(new URL(place, DOCS)).size <= 150_000, place);
    assert.ok(sources.includes(`"${picture}"`), `no test takes ${picture}`);
  }
});

test("every picture that is kept is named in a manual, the tour or the front page", () => {
  const pages = ["manual/clerk.md", "manual/office.md", "manual/auditor.md", "manual/handler.md", "tour.md", "tour.ja.md", "../README.md", "../README.ja.md"];
  const texts = pages.map((page) => read(new URL(page, DOCS))).join("\n");
  for (const folder of ["manual/pictures/", "tour/"]) {
    for (const name of taken(folder)) assert.ok(texts.includes(`/${name}.png)`), `${folder}${name}.png is named nowhere`);
  }
});

test("both tours show the same pictures, and all of them exist", () => {
  const shown = (page) => [...read(new URL(page, DOCS)).matchAll(/\]\(([^)]+\.png)\)/g)].map(([, path]) => path);
  assert.deepEqual(shown("tour.md"), shown("tour.ja.md"));
  for (const path of shown("tour.md")) assert.ok(statSync(new URL(path, DOCS)).size > 1000, path);
});

test("steps are numbered and every manual ends with what to do in trouble", () => {
  for (const name of ["clerk", "office", "auditor", "operator", "handler"]) {
    const text = read(new URL(`manual/${name}.md`, DOCS));
    assert.match(text, /^1\. /m, name);
    assert.match(text, /\n## 困ったとき\n/, name);
  }
});

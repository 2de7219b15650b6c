// The clerk's story, told once and done in several ways: with the mouse, with the keyboard, without JavaScript.

import assert from "node:assert/strict";
import { LOGINS } from "./browser.js";

export { keyboard, mouse } from "./hands.js";

const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();

const RECORDED = /証跡の行 (\d+) に記録されました（受付: 窓口）/;

async function line(page) {
  const found = RECORDED.exec(await page.locator("main").innerText());
  assert.ok(found, "the page tells its line in the trace and the reason");
  return Number(found[1]);
}

/** Chooser → home → search → results → record; the numbers of the two lines. */
export async function clerkStory(page, hands) {
  await page.goto("/demo");
  await heading(page, "役割を選んで試す");
  await hands.press(page, page.locator(`form:has(input[value="${LOGINS.clerk}"]) button`));
  await heading(page, "ホーム");
  await hands.press(page, page.locator("main").getByRole("link", { name: "住民の検索" }));
  await heading(page, "住民の検索");
  await hands.pick(page, page.getByLabel("受付の種類"), "窓口");
  await hands.type(page, page.getByLabel("カナ氏名"), "やまだ");
  await hands.press(page, page.getByRole("button", { name: "検索する" }));
  await heading(page, "検索結果");
  assert.ok(!page.url().includes("kana"), "the address of the results does not tell the search");
  const rows = page.locator("tbody tr");
  assert.ok((await rows.count()) > 0, "there is a やまだ in the town");
  for (const text of await rows.locator("th").allInnerTexts()) assert.match(text, /ヤマ[ダタ]/);
  const listed = await line(page);
  const first = rows.locator("th a").first();
  const name = await first.innerText();
  await hands.press(page, first);
  await heading(page, "住民の記録");
  assert.ok((await page.locator("dl.definitions").innerText()).includes(name), "the record is the one chosen");
  const opened = await line(page);
  assert.ok(opened > listed, "opening has a later line than listing");
  return { listed, opened };
}

// 重症化予防: from health checks to the approved list and the doctor's answer, with two persons' eyes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startBoth } from "../lib/both.js";
import { enter, scene } from "../lib/browser.js";
import { Keyboard, fill, menu, mouse, press, text } from "../lib/hands.js";
import { look } from "../lib/look.js";

const { demo, browser } = await startBoth(3000);

const HOME = "糖尿病性腎症等重症化予防";

/** Looks until the demo's own health checks are in force and tried. */
async function ready(page, hands) {
  for (let n = 0; n < 60; n += 1) {
    await menu(page, hands, "重症化予防", HOME);
    await press(page, hands, "選定の試行と名簿の承認", "選定の試行と名簿の承認");
    if (await page.getByRole("link", { name: "選定1", exact: true }).count()) return;
    await page.waitForTimeout(1000);
  }
  assert.fail("the sample health checks do not come");
}

test("a rule is proposed, tried and approved by another, and the doctor answers: with the mouse", async () => {
  await scene(browser, demo, { bypassCSP: true }, async (page) => {
    await enter(page, "health");
    await ready(page, mouse);
    await look(page);
    await press(page, mouse, "選定1", "選定1");
    assert.match(await text(page), /選定ルールは仮です/);
    assert.match(await text(page), /判定不能（腎機能なし）/);
    await look(page);
    await press(page, mouse, "判定不能（腎機能なし）");
    assert.match(await text(page), /eGFRもクレアチニンもない/);
    await look(page);
    await menu(page, mouse, "重症化予防", HOME);
    await look(page);
    await press(page, mouse, "健診結果の取込み");
    await look(page);
    await press(page, mouse, "取込1");
    await page.getByText("CHECKUP-JDS").first().waitFor();
    await look(page);
    await menu(page, mouse, "重症化予防", HOME);
    await press(page, mouse, "選定ルール");
    await look(page);
    // Two presets wait, the newer one first; the trial was made with the older one.
    for (const left of [1, 0]) {
      await press(page, mouse, "承認する");
      await page.waitForFunction((n) => document.querySelectorAll("button[value=approve]").length === n, left);
    }
    await ready(page, mouse);
    await press(page, mouse, "選定1", "選定1");
    assert.ok(await page.getByRole("button", { name: "名簿を承認する" }).count(), "the machine made it, a person approves");
    await press(page, mouse, "名簿を承認する", "選定1");
    await menu(page, mouse, "重症化予防", HOME);
    await press(page, mouse, "名簿に載った人", "名簿に載った人");
    await look(page);
    await press(page, mouse, await page.locator("main tbody th a").first().innerText(), "対象者の記録");
    await look(page);
    await fill(page, mouse, { 報告の日: "R8.11.1", "医療機関・医師": "見本診療所", 参加についての同意: "同意", 糖尿病の治療: "治療中" });
    await press(page, mouse, "報告を記録する", "対象者の記録");
    await page.getByText("見本診療所　参加に同意").waitFor();
    await menu(page, mouse, "重症化予防", HOME);
    await press(page, mouse, "事業の評価", "事業の評価");
    assert.equal(await page.locator("svg[role=img]").count(), 2, "two plots");
    await look(page);
  });
});

test("the same pages by keyboard alone, and a wrong file is told beside its field", async () => {
  const keys = new Keyboard();
  await scene(browser, demo, {}, async (page) => {
    await enter(page, "health2");
    await ready(page, keys);
    await menu(page, keys, "重症化予防", HOME);
    await press(page, keys, "健診結果の取込み", "健診結果の取込み");
    await page.getByLabel(/健診結果のファイル/).setInputFiles({ name: "x.zip", mimeType: "application/zip", buffer: Buffer.from("PK\u0003\u0004x") });
    await press(page, keys, "送って下見する");
    await page.getByText("ZIPファイルとして読めません").first().waitFor();
  });
});

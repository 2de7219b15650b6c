// 付議と契約: a sheet drafted by one and approved by another, the refused item with its line, the checklist, the closing day.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startBoth } from "../lib/both.js";
import { enter, scene, term } from "../lib/browser.js";
import { Keyboard, file, fill, heading, menu, mouse, press, text } from "../lib/hands.js";
import { sound } from "../lib/look.js";

const { demo, browser } = await startBoth(300);

const SEEN = { bypassCSP: true };
const nothing = async () => {};
const row = (page, words) => page.locator("main tbody tr").filter({ hasText: words });

/** From the menu to the case of the sample. */
async function open(page, hands) {
  await menu(page, hands, "付議と契約", "付議と委託契約");
  await hands.press(page, page.locator("main").getByRole("link", { name: /外部結合等について/ }).first());
  await heading(page, "付議の案件");
}

/** The contract of the sample. */
async function contract(page, hands) {
  await menu(page, hands, "付議と契約", "付議と委託契約");
  await press(page, hands, "糖尿病性腎症等重症化予防の保健指導等業務委託（見本）", "契約台帳");
}

/** Asks whether an item may be handed over; the answer's table. */
async function ask(page, hands, item, channel) {
  await contract(page, hands);
  await press(page, hands, "渡せる項目を確かめる", "渡せる項目の確認");
  await fill(page, hands, { [item]: true, 方法: channel });
  await press(page, hands, "確かめる");
  await page.getByRole("heading", { level: 2, name: "渡せない項目" }).waitFor();
}

const sheets = { "with the mouse": "メールアドレス", "by keyboard alone": "傷病名", "without JavaScript": "喫煙" };

for (const [how, options, hands, see] of [
  ["with the mouse", SEEN, mouse, sound],
  ["by keyboard alone", {}, new Keyboard(), nothing],
  ["without JavaScript", { javaScriptEnabled: false }, mouse, nothing],
]) {
  test(`an item taken out of the sheet is refused with its line: ${how}`, () =>
    scene(browser, demo, options, async (page) => {
      const item = sheets[how];
      const label = item === "メールアドレス" ? item : `${item}（要配慮個人情報）`;
      await enter(page, "operations");
      await open(page, hands);
      await see(page);
      await press(page, hands, "業務委託シートを起案する", "業務委託シートの起案");
      await see(page);
      const box = page.locator("main").getByLabel(label, { exact: true });
      if (hands === mouse) await box.uncheck();
      else {
        await hands.tabTo(page, box);
        await hands.key(page, "Space");
      }
      await fill(page, hands, { 変更の理由: `${item}は要らないため` });
      await press(page, hands, "起案する");
      await page.getByRole("link", { name: "取り下げる画面へ" }).waitFor();
      await see(page);
      assert.equal(await page.locator("main del").innerText(), item);
      const at = page.url();
      await press(page, hands, "取り下げる画面へ");
      await page.getByText("起案した人は承認できません。").waitFor();
      assert.equal(await page.getByRole("button", { name: "承認する" }).count(), 0);
      await enter(page, "second");
      await page.goto(at);
      await press(page, hands, "承認・差戻しの画面へ");
      await page.getByRole("button", { name: "承認する" }).waitFor();
      await see(page);
      await press(page, hands, "承認する", "付議の案件");
      await ask(page, hands, item, "電磁的媒体の手渡し");
      await see(page);
      const told = await row(page, "の行に").innerText();
      assert.match(told, new RegExp(`「委託先に処理させる項目」の行に「${item}」がありません`));
      assert.match(told, new RegExp(`変更の理由: ${item}は要らないため）で削られました`));
      await ask(page, hands, "性別", "LGWAN回線");
      assert.match(await text(page), /選んだ項目は、すべて渡せます/);
    }));
}

test("the sheets and the checklist leave as PDF, and a red line says why", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "operations");
    await open(page, mouse);
    const sheets = await file(page, mouse, "付議のかがみと有効なシートをPDFにする");
    assert.equal(sheets.bytes.subarray(0, 5).toString(), "%PDF-");
    await press(page, mouse, "個人情報保護対策チェックリスト", "個人情報保護対策チェックリスト");
    await sound(page);
    assert.equal(await term(page, "回答").innerText(), "○ 76、- 0、未回答 0（全76行）");
    assert.match(await row(page, "I2-S1 ").or(row(page, "原文欠落")).first().innerText(), /原文欠落/);
    assert.match(await row(page, "K1-S3").innerText(), /成り立たない: TLSも/);
    const list = await file(page, mouse, "チェックリストをPDFにする");
    assert.equal(list.bytes.subarray(0, 5).toString(), "%PDF-");
    await press(page, mouse, "I1-U8", "チェックリスト I1-U8");
    await sound(page);
    await fill(page, mouse, { 回答: "- 対策の必要がない", 証拠: "" });
    await press(page, mouse, "回答する");
    await page.locator("#evidence-error").waitFor();
    await fill(page, mouse, { 証拠: "紙を扱わない" });
    await press(page, mouse, "回答する", "個人情報保護対策チェックリスト");
    await enter(page, "auditor");
    await open(page, mouse);
    await press(page, mouse, "個人情報保護対策チェックリスト", "個人情報保護対策チェックリスト");
    await press(page, mouse, "I1-U8", "チェックリスト I1-U8");
    await press(page, mouse, "いまの回答を確かめた", "個人情報保護対策チェックリスト");
    assert.match(await row(page, "I1-U8").innerText(), /監査 きよし/);
  }));

test("what is owed has its day, and the closing day is red until it is true", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "operations");
    await contract(page, mouse);
    await sound(page);
    await press(page, mouse, "起きたこと（報告の求め・事故など）を記録する", "起きたことの記録");
    await sound(page);
    await fill(page, mouse, { 特記事項: "14 業務に関する報告", 起きた日: "R8.11.20", 起きたこと: "取扱い状況の報告を求めた" });
    await press(page, mouse, "登録する", "契約台帳");
    await menu(page, mouse, "付議と契約", "付議と委託契約");
    await press(page, mouse, "契約上の義務", "契約上の義務");
    await sound(page);
    await row(page, "14 業務に関する報告").getByRole("link").click();
    await heading(page, "義務を果たした記録");
    await sound(page);
    await fill(page, mouse, { 果たした日: "R8.11.20", 証拠: "回答書 第1号" });
    await press(page, mouse, "果たしたと記録する", "契約上の義務");
    assert.equal(await row(page, "14 業務に関する報告").count(), 0);
    await contract(page, mouse);
    await press(page, mouse, "契約の終了日", "契約の終了日");
    await sound(page);
    assert.match(await row(page, "電磁的媒体").innerText(), /済み.*返却されていない媒体はありません/s);
    assert.equal(await page.getByRole("button", { name: "契約を閉じる" }).count(), 0);
    await press(page, mouse, "次の年度への更新", "次の年度への更新");
    await sound(page);
    await page.goto("/oversight/controls");
    await heading(page, "番号ガイドラインの安全管理措置との対応");
    await sound(page);
    await page.goto("/oversight/words");
    await sound(page);
    await page.goto("/oversight/cases/new");
    await sound(page);
  }));

test("nobody else comes near the cases", () =>
  scene(browser, demo, {}, async (page) => {
    for (const who of ["citizen", "contractor", "system"]) {
      await enter(page, who);
      for (const place of ["", "/cases/new", "/obligations", "/controls", "/words"]) {
        const answer = await page.goto(`/oversight${place}`);
        assert.ok([403, 404].includes(answer.status()), `${who} at ${place}: ${answer.status()}`);
      }
    }
  }));

// 異動・訂正・統合・突合 and reception notes: each with its form, its confirmation and what the second officer is told.

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startBoth } from "../lib/both.js";
import { enter, open, scene, term } from "../lib/browser.js";
import { change, enterNew, event, findByKana, newcomer, newest, writeNote } from "../lib/changes.js";
import { Keyboard, afresh, control, fill, heading, menu, mouse, press, text } from "../lib/hands.js";
import { look } from "../lib/look.js";

const { demo, browser } = await startBoth();

const SEEN = { bypassCSP: true };
const nothing = async () => {};
const PLAIN = /世帯員|支援措置|転出|死亡|同姓同名/;

/** The n-th person of a list about whom nothing is to be heeded. */
function plain(page, n = 0) {
  return page.locator("tbody tr").filter({ hasNot: page.locator(".badge", { hasText: PLAIN }) }).nth(n).locator("th a");
}

/** Opens the n-th of them, or whoever stands behind when that one is no resident any more. */
async function openPlain(page, hands, n = 0, kana = "やまだ") {
  for (let next = n; ; next += 3) {
    await findByKana(page, hands, kana);
    await hands.press(page, plain(page, next));
    await heading(page, "住民の記録");
    if ((await page.locator(".head-banner .banner").count()) === 0) break;
  }
  return new URL(page.url()).pathname;
}

/** Opens a record by its address, with a reason when none was given today. */
async function openRecord(page, path) {
  await page.goto(path);
  if (await page.getByRole("button", { name: "理由を記録して開く" }).count()) {
    await fill(page, mouse, { 受付の種類: "窓口" });
    await press(page, mouse, "理由を記録して開く");
  }
  await heading(page, "住民の記録");
}

/** Waits until the import on the page has ended. */
async function imported(page) {
  await page.getByText("取り込みました").or(page.getByText("終わりました")).first().waitFor({ timeout: 60_000 });
}

// First in this file, so that nobody else waits in the queue.
test("what the files say otherwise waits in a queue until somebody decides", { timeout: 180_000 }, async () => {
  cpSync(join(demo.folder, "demo/sample-town"), join(demo.folder, "demo/staging/inbox/見本の町"), { recursive: true });
  await scene(browser, demo, {}, async (page) => {
    await enter(page, "clerk");
    await openPlain(page, mouse, 0, "すずき");
    await change(page, mouse, nothing, "住所・電話番号・世帯を訂正する", "住所・電話番号・世帯の訂正", { 方書: "違い荘", 理由: "届書の記入もれ" });
  });
  await scene(browser, demo, SEEN, async (page) => {
    await enter(page, "lead");
    await menu(page, mouse, "住民データの取込み");
    await fill(page, mouse, { フォルダ: "見本の町" });
    await press(page, mouse, "選んで準備する", "取込みの準備");
    await press(page, mouse, "取込みを始める");
    await imported(page);
    await look(page, "lead-import-done");
    await menu(page, mouse, "取込みとの突合");
    await look(page, "lead-differences");
    await page.locator("tbody tr").filter({ hasText: "違い荘" }).first().locator("th a").click();
    await page.getByRole("button", { name: "ファイルの内容にする" }).waitFor();
    await press(page, mouse, "画面の変更を残す");
    await page.locator("#reason-error").waitFor();
    await afresh(page);
    await fill(page, mouse, { 理由: "届書で確認" });
    await look(page, "lead-difference");
    const waiting = await page.goto("/residents/differences").then(() => page.locator("tbody tr").count());
    await page.locator("tbody tr").filter({ hasText: "違い荘" }).first().locator("th a").click();
    await fill(page, mouse, { 理由: "届書で確認" });
    await press(page, mouse, "ファイルの内容にする", "取込みとの突合");
    assert.equal(await page.locator("tbody tr").count(), waiting - 1, "one less waits");
  });
});

for (const [how, options, hands, see, number, n] of [
  ["with the mouse", SEEN, mouse, look, "900000000000001", 0],
  ["by keyboard alone", {}, new Keyboard(), nothing, "900000000000002", 1],
  ["without JavaScript", { javaScriptEnabled: false }, mouse, nothing, "900000000000003", 2],
]) {
  test(`転入, 転居, a correction, 転出 and 死亡: ${how}`, () =>
    scene(browser, demo, options, async (page) => {
      await enter(page, "clerk");
      await enterNew(page, hands, see, newcomer(number));
      assert.match(await newest(page), /転入/);
      await writeNote(page, hands, see, "転居の届出");
      await see(page, "clerk-record");
      await event(page, hands, see, { 異動の種類: "転居", 異動日: "R8.11.15", 届出日: "R8.11.16", 住所: "見守市中央2丁目2番2号" }, ["clerk-move", "clerk-move-confirm"]);
      assert.match(await term(page, "住所").innerText(), /中央2丁目2番2号/);
      await change(page, hands, see, "基本の情報を訂正する", "基本の情報の訂正", { "氏名（カナ）": "シンマチ イチロー", 理由: "届書の読み違い" }, ["clerk-correct", "clerk-correct-confirm"]);
      assert.match(await newest(page), /シンマチ イチロウ → シンマチ イチロー/);
      await event(page, hands, nothing, { 異動の種類: "転出", 異動日: "R8.11.20", 届出日: "R8.11.18", 転出先の住所: "となり市本町1番" });
      assert.match(await page.locator(".head-banner").innerText(), /転出/);
      await see(page);
      await openPlain(page, hands, n, "さとう");
      await writeNote(page, hands, nothing, "死亡の届出", { 申し出た人: "家族" });
      await event(page, hands, nothing, { 異動の種類: "死亡", 異動日: "R8.11.18", 届出日: "R8.11.19" });
      assert.match(await page.locator(".head-banner").innerText(), /死亡/);
      await see(page, "clerk-deceased");
      await press(page, hands, "異動を入力する", "異動の入力");
      const kinds = await control(page, "異動の種類").locator("option").allInnerTexts();
      assert.deepEqual(kinds.filter((k) => ["転居", "転出", "死亡", "転入"].includes(k)), [], "what a deceased person cannot do is not offered");
      assert.ok(kinds.includes("職権修正"));
    }));
}

test("職権 needs its reason, and takes away and brings back", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "clerk");
    await enterNew(page, mouse, nothing, newcomer("900000000000011", "職権 花子", "ショッケン ハナコ", "女"));
    await press(page, mouse, "異動を入力する", "異動の入力");
    await fill(page, mouse, { 異動の種類: "職権消除", 異動日: "R8.11.17" });
    await press(page, mouse, "確認する");
    assert.match(await page.locator("#reason-error").innerText(), /理由が必要です/);
    await look(page);
    await fill(page, mouse, { 理由: "実態調査で不在を確認" });
    await press(page, mouse, "確認する", "異動の入力の確認");
    await look(page);
    await press(page, mouse, "入力に戻る", "異動の入力");
    assert.equal(await control(page, "理由").inputValue(), "実態調査で不在を確認", "the input is kept");
    await press(page, mouse, "確認する", "異動の入力の確認");
    await press(page, mouse, "登録する", "住民の記録");
    await event(page, mouse, nothing, { 異動の種類: "職権記載", 異動日: "R8.11.18", 理由: "居住を確認" });
    assert.match(await newest(page), /職権記載[\s\S]*職権消除|職権消除[\s\S]*職権記載/);
  }));

test("odd dates, an empty form and a number that is taken are refused beside their fields", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "clerk");
    await menu(page, mouse, "転入などの入力", "転入・出生などの入力");
    await press(page, mouse, "確認する");
    await page.locator(".error-summary").waitFor();
    assert.ok((await page.locator(".field-error").count()) >= 8);
    await look(page);
    const good = newcomer("900000000000021");
    for (const [label, field, values] of [
      ["異動日", "event_day", ["S640108", "R990101", "2999-01-01", "きのう", "あ".repeat(3000), "S340101"]],
      ["届出日", "notified_day", ["R8.11.1", ""]],
      ["宛名番号", "address_number", ["x", "1".repeat(16), "'; DROP TABLE residents_person;--"]],
      ["氏名（カナ）", "kana", ["山田", "<script>alert(1)</script>", "\u202eダマヤ"]],
      ["氏名（漢字）", "kanji", ["あ".repeat(3000)]],
      ["郵便番号", "postal", ["12", "abc"]],
      ["電話番号", "phone", ["1", "0999' OR '1'='1"]],
      ["世帯番号", "household_number", ["x"]],
    ]) {
      for (const value of values) {
        await page.goto("/residents/enter");
        await fill(page, mouse, { ...good, [label]: value });
        await press(page, mouse, "確認する");
        const beside = page.locator(`#${field}-error`);
        await beside.waitFor();
        assert.match(await beside.innerText(), /[\u3040-\u30ff\u4e00-\u9fff]{4,}/u, `${label} = ${value.slice(0, 30)}`);
        assert.equal(await control(page, label).inputValue(), value, "still there to correct");
      }
    }
    await enterNew(page, mouse, nothing, { ...good, "氏名（漢字）": "<b>太字</b>" });
    assert.equal(await term(page, "漢字氏名").or(term(page, "氏名")).first().innerText(), "<b>太字</b>");
    await page.goto("/residents/enter");
    await fill(page, mouse, good);
    await press(page, mouse, "確認する");
    await press(page, mouse, "登録する");
    assert.match(await page.locator("#address_number-error").innerText(), /もう登録されています/);
  }));

test("the second officer is told what the first changed, and keeps the own input", async () => {
  const first = await open(browser, demo);
  try {
    await enter(first.page, "clerk");
    const path = await openPlain(first.page, mouse, 0, "たかはし");
    await scene(browser, demo, SEEN, async (page) => {
      await enter(page, "lead");
      await openRecord(page, path);
      await press(page, mouse, "住所・電話番号・世帯を訂正する", "住所・電話番号・世帯の訂正");
      await change(first.page, mouse, nothing, "住所・電話番号・世帯を訂正する", "住所・電話番号・世帯の訂正", { 方書: "見本荘101", 理由: "届書の記入もれ" });
      await fill(page, mouse, { 電話番号: "0999-12-3456", 理由: "電話で申出" });
      await press(page, mouse, "確認する", "ほかの人が先に変更しました");
      assert.match(await text(page), /介護 はな/);
      assert.match(await text(page), /方書: .* → 見本荘101/);
      assert.match(await text(page), /0999-12-3456/);
      await look(page, "clerk-conflict");
      await press(page, mouse, "この入力で続ける", "住所・電話番号・世帯の訂正の確認");
      assert.doesNotMatch(await page.locator("table").innerText(), /見本荘101/, "the first change is not undone");
      await press(page, mouse, "登録する", "住民の記録");
      assert.equal(await term(page, "方書").innerText(), "見本荘101");
      assert.equal(await term(page, "電話番号").innerText(), "0999-12-3456");
    });
  } finally {
    await first.context.close();
  }
});

test("a protected person is registered as such by the lead officer alone", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "clerk");
    await enterNew(page, mouse, nothing, newcomer("900000000000031", "守秘 洋子", "シュヒ ヨウコ", "女"));
    const path = new URL(page.url()).pathname;
    assert.equal((await page.goto(`${path}/change/flag`)).status(), 403);
    await enter(page, "lead");
    await openRecord(page, path);
    await change(page, mouse, look, "支援措置を登録する", "支援措置の登録", { 支援措置: "対象", 理由: "申出の受理" }, ["lead-flag"]);
    assert.match(await page.locator(".head-banner .banner-danger").innerText(), /支援措置の対象者です/);
    await enter(page, "clerk");
    await openRecord(page, path);
    assert.equal(await term(page, "住所").innerText(), "（非表示）");
    await look(page, "clerk-protected");
  }));

test("two records of one person are merged and separated again", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "lead");
    await enterNew(page, mouse, nothing, newcomer("900000000000041", "重複 次郎", "チョウフク ジロウ"));
    await enterNew(page, mouse, nothing, newcomer("900000000000042", "重複 二郎", "チョウフク ジロウ"));
    const gone = new URL(page.url()).pathname;
    await findByKana(page, mouse, "ちょうふく");
    assert.equal(await page.locator("tbody tr").count(), 2);
    await page.locator("tbody tr").filter({ hasText: "次郎" }).locator("th a").click();
    await heading(page, "住民の記録");
    await press(page, mouse, "同一人を統合する", "同一人の統合");
    await press(page, mouse, "確認する");
    await page.locator("#number-error").waitFor();
    await fill(page, mouse, { この記録に統合する宛名番号: "123", 理由: "番号の重複" });
    await press(page, mouse, "確認する");
    assert.match(await page.locator("#number-error").innerText(), /統合できる記録がありません/);
    await afresh(page);
    await fill(page, mouse, { この記録に統合する宛名番号: "900000000000042", 理由: "番号の重複" });
    await look(page, "lead-merge");
    await press(page, mouse, "確認する", "同一人の統合の確認");
    await look(page, "lead-merge-confirm");
    await press(page, mouse, "統合する", "住民の記録");
    await look(page);
    await findByKana(page, mouse, "ちょうふく");
    assert.equal(await page.locator("tbody tr").count(), 1, "one is left in the lists");
    await openRecord(page, gone);
    assert.match(await text(page), /次郎/, "the other address leads to the kept record");
    await press(page, mouse, "統合を取り消す（分離）", "同一人の分離");
    await press(page, mouse, "確認へ進む");
    await page.locator(".error-summary").waitFor();
    await look(page);
    await page.locator("#other input").first().check();
    await fill(page, mouse, { 理由: "別の人と分かったため" });
    await press(page, mouse, "確認へ進む");
    await page.getByRole("button", { name: "分離する" }).waitFor();
    await look(page);
    await press(page, mouse, "分離する", "住民の記録");
    await findByKana(page, mouse, "ちょうふく");
    assert.equal(await page.locator("tbody tr").count(), 2);
  }));

test("a reception note is written once, in any way, and odd ones are refused", async () => {
  for (const [options, hands, see] of [[SEEN, mouse, look], [{}, new Keyboard(), nothing], [{ javaScriptEnabled: false }, mouse, nothing]]) {
    await scene(browser, demo, options, async (page, context) => {
      await enter(page, "clerk");
      await openPlain(page, hands, 0, "いとう");
      const told = /受付票がありません/.test(await text(page));
      await page.goto(`${new URL(page.url()).pathname}/note`);
      await press(page, hands, "受付票を書いて記録を開く");
      await page.locator(".error-summary").waitFor();
      assert.equal(await page.locator(".field-error").count(), 3);
      await fill(page, hands, { 受付の方法: "電話", 申し出た人: "家族", 用件: "あ".repeat(201) });
      await press(page, hands, "受付票を書いて記録を開く");
      assert.match(await page.locator("#matter-error").innerText(), /200文字まで/);
      await see(page);
      const matter = `<i>証</i>の再交付 ${told}`;
      await fill(page, hands, { 受付の方法: "電話", 申し出た人: "家族", 用件: matter });
      await press(page, hands, "受付票を書いて記録を開く", "住民の記録");
      assert.ok((await text(page)).includes(`電話／家族: ${matter}`), "the note of today, as typed");
      const csrf = await page.locator("form[data-sign-out] input[name=csrf]").inputValue();
      const at = `${new URL(page.url()).pathname}/note`;
      const send = (form) => context.request.post(at, { form: { csrf, ...form }, headers: { origin: demo.url }, maxRedirects: 0 });
      assert.equal((await send({ channel: "spy", asker: "self", matter: "x" })).status(), 400);
      assert.equal((await send({ channel: "counter", asker: "self", matter: "x", csrf: "" })).status(), 403);
    });
  }
});

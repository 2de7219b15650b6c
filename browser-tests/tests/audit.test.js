// 監査: the trace searched and taken out, alerts answered by a named reviewer, the signed report; and the citizen's sheet.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { startBoth } from "../lib/both.js";
import { enter, findWithBadge, open, scene, search } from "../lib/browser.js";
import { verify } from "../lib/demo.js";
import { Keyboard, afresh, control, file, fill, line, menu, mouse, press, text, unlocked } from "../lib/hands.js";
import { look } from "../lib/look.js";

const { demo, browser } = await startBoth();
before(async () => {
  // A day's work for the auditor to look at: a search, a record, a protected person, a refusal.
  await scene(browser, demo, {}, async (page) => {
    await enter(page, "clerk");
    await search(page, { kana: "やまだ" });
    await page.locator("tbody th a").first().click();
    await page.goto((await findWithBadge(page, "支援措置", ["世帯員", "支援措置（同居）"])).href);
    await page.goto("/residents/imports");
    for (const who of ["lead", "care"]) {
      await enter(page, who);
      await page.goto((await findWithBadge(page, "支援措置", ["世帯員", "支援措置（同居）"])).href);
    }
  });
});

const SEEN = { bypassCSP: true };
const nothing = async () => {};
const rows = (page) => page.locator("main tbody tr");

async function findLines(page, hands, values) {
  await menu(page, hands, "証跡の検索");
  await fill(page, hands, values);
  await press(page, hands, "検索する", "証跡の検索結果");
}

for (const [how, options, hands, see] of [
  ["with the mouse", SEEN, mouse, look],
  ["by keyboard alone", {}, new Keyboard(), nothing],
  ["without JavaScript", { javaScriptEnabled: false }, mouse, nothing],
]) {
  test(`the trace is searched and taken out with a reason: ${how}`, () =>
    scene(browser, demo, options, async (page) => {
      await enter(page, "auditor");
      await menu(page, hands, "証跡の検索");
      await fill(page, hands, { 職員のID: "clerk-1", 判定: "許可" });
      await see(page, "audit-search");
      await press(page, hands, "検索する", "証跡の検索結果");
      const shown = await rows(page).count();
      assert.ok(shown >= 4, "search, list, record");
      for (const said of await rows(page).allInnerTexts()) assert.match(said, /clerk-1[\s\S]*許可/);
      assert.doesNotMatch(await text(page), /ヤマダ|山田/, "never what was searched for, nor whom");
      await see(page, "audit-results");
      await see(page, "audit-export", "ファイルに出力する");
      await fill(page, hands, { 出力する理由: "定期の監査のため" });
      const out = await unlocked(page, hands, "CSVで出力する", () => see(page, "audit-output"));
      assert.match(out.name, /^trace-lines-\d+\.zip$/);
      const table = new TextDecoder("utf-8", { ignoreBOM: true }).decode(out.bytes).trimEnd().split("\r\n");
      assert.match(table[0], /^\ufeff"行","日時","職員","職員のID"/);
      assert.match(table.at(-1), /監査 きよし/, "who took it");
      assert.ok(table.length - 2 >= shown, "every line that was shown");
    }));
}

test("the file in CP932 needs its reason too", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "auditor");
    await findLines(page, mouse, { 役割: "介護保険課 職員" });
    await press(page, mouse, "CSVで出力する");
    assert.match(await text(page), /出力する理由を、200文字までで/);
    await look(page);
    await findLines(page, mouse, { 役割: "介護保険課 職員" });
    await page.getByLabel(/CP932/).check();
    await fill(page, mouse, { 出力する理由: "定期の監査のため" });
    const out = await unlocked(page, mouse, "CSVで出力する", look);
    assert.match(new TextDecoder("shift_jis", { fatal: true }).decode(out.bytes), /^"行","日時","職員"/);
  }));

test("odd input of the search is refused beside its field", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "auditor");
    for (const [label, field, values] of [
      ["期間の始め", "from", ["昨日", "昭和64年1月8日", "あ".repeat(3000)]],
      ["期間の終わり", "until", ["2026-13-01", "2027-02-29", "R1.4.1"]],
      ["行の番号", "line", ["x", "1e9", "-1", "9".repeat(101)]],
      ["対象者の番号", "person", ["山田太郎", "'; DROP TABLE trace;--"]],
      ["職員のID", "officer", ["あ".repeat(3000)]],
    ]) {
      for (const value of values) {
        await page.goto("/audit");
        await control(page, label).fill(value);
        await press(page, mouse, "検索する");
        await page.locator(`#${field}-error`).waitFor();
        assert.match(await page.locator(`#${field}-error`).innerText(), /[\u3040-\u30ff\u4e00-\u9fff]{4,}/u, `${label} = ${value.slice(0, 30)}`);
      }
    }
    await look(page);
    await findLines(page, mouse, { 行の番号: "999999999" });
    assert.match(await text(page), /該当する行は見つかりませんでした/);
    await look(page);
  }));

test("an alert waits for a named reviewer, who says why", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "auditor");
    await menu(page, mouse, "点検の結果");
    await press(page, mouse, "いま点検する");
    await page.locator(".banner[role=status]").waitFor();
    await look(page, "audit-alerts");
    await page.getByRole("link", { name: "支援措置の対象者の閲覧" }).first().click();
    const at = page.url();
    await press(page, mouse, "回答する");
    await page.locator(".error-summary").waitFor();
    await look(page);
    await afresh(page);
    const answers = page.locator("#answer input");
    assert.ok((await answers.count()) >= 2);
    await answers.first().check();
    await control(page, "理由").fill("所属の課長に、窓口の届出の受付だったことを確かめた。");
    await look(page, "audit-alert");
    // Whoever judges sees the judgement and the rule of each line without scrolling sideways.
    await page.setViewportSize({ width: 1280, height: 800 });
    const table = page.locator(".table-scroll").last();
    const [wide, room] = await table.evaluate((t) => [t.scrollWidth, t.clientWidth]);
    assert.ok(wide <= room && room <= 1168, `the lines are ${wide} wide in ${room}`);
    for (const head of ["判定", "規則"]) assert.ok(await table.getByRole("columnheader", { name: head, exact: true }).isVisible());
    for (const said of await rows(page).allInnerTexts()) assert.doesNotMatch(said, /サインイン/, "what the rule did not count");
    await press(page, mouse, "回答する");
    await page.goto(at);
    assert.match(await text(page), /監査 きよし[\s\S]*所属の課長に/);
    await look(page);
    await press(page, mouse, "この職員のこの日の行をすべて検索する", "証跡の検索結果");
    await page.goto("/audit/alerts?all=1");
    await look(page);
    // Nobody else answers.
    for (const who of ["operations", "clerk", "lead", "system"]) {
      await enter(page, who);
      assert.equal((await page.goto("/audit/alerts")).status(), 403, who);
      assert.ok([403, 404].includes((await page.goto(at)).status()), who);
    }
  }));

test("an alert is answered by keyboard alone and without JavaScript", async () => {
  for (const [options, hands] of [[{}, new Keyboard()], [{ javaScriptEnabled: false }, mouse]]) {
    await scene(browser, demo, options, async (page) => {
      await enter(page, "auditor");
      await menu(page, hands, "点検の結果");
      await press(page, hands, "いま点検する");
      await page.locator(".banner[role=status]").waitFor();
      const open = rows(page).locator("th a");
      const before = await open.count();
      if (before === 0) throw new Error("nothing is left to answer");
      await hands.press(page, open.first());
      await page.getByRole("heading", { level: 2, name: "回答", exact: true }).waitFor();
      await hands.tick(page, page.locator("#answer input").first());
      await hands.type(page, control(page, "理由"), "受付票と照らし合わせた。");
      await press(page, hands, "回答する");
      await menu(page, hands, "点検の結果");
      assert.equal(await open.count(), before - 1, "one less to answer");
    });
  }
});

test("a month's report is signed, and the signature holds without the server", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "auditor");
    await menu(page, mouse, "分析報告");
    for (const odd of ["11月", "2026-13", "", "<b>"]) {
      await control(page, "対象の月").fill(odd);
      await press(page, mouse, "報告を作り、署名する");
      await page.locator("#month-error").waitFor();
    }
    await afresh(page);
    await control(page, "対象の月").fill(await page.evaluate(() => new Date(Date.now() + 9 * 3600e3).toISOString().slice(0, 7)));
    await look(page, "audit-reports");
    await press(page, mouse, "報告を作り、署名する");
    await page.getByRole("link", { name: "署名つきの報告を保存する" }).waitFor();
    await look(page, "audit-report");
    const out = await file(page, mouse, "署名つきの報告を保存する");
    const path = join(demo.folder, "report.note");
    writeFileSync(path, out.bytes);
    const key = join(demo.trace, "key.pub");
    const held = verify("note", path, "--key", key);
    assert.equal(held.status, 0, held.text);
    writeFileSync(path, out.bytes.toString("utf8").replace(/\d/, (d) => String((Number(d) + 1) % 10)));
    assert.notEqual(verify("note", path, "--key", key).status, 0, "one figure changed");
  }));

test("the auditor reads the users and changes none", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "auditor");
    await menu(page, mouse, "利用者管理", "利用者の一覧");
    await look(page, "audit-people");
    assert.equal((await page.goto("/operations/people/new")).status(), 403);
  }));

test("the auditor's own look is a line too", () =>
  scene(browser, demo, {}, async (page) => {
    await enter(page, "auditor");
    await findLines(page, mouse, { 職員のID: "audit-1" });
    const own = await line(page);
    await findLines(page, mouse, { 行の番号: String(own) });
    assert.equal(await rows(page).count(), 1);
    assert.match(await rows(page).first().innerText(), /監査 きよし/);
  }));

test("the citizen's sheet is one page of large type, names offices and no officer, and hides nothing silently", async () => {
  const { context, page: desk } = await open(browser, demo);
  await enter(desk, "clerk");
  await search(desk, { kana: "あ" });
  const links = desk.locator("tbody tr").filter({ hasNot: desk.locator(".badge", { hasText: /世帯員|支援措置/ }) }).locator("th a");
  const hrefs = await links.evaluateAll((all) => all.slice(0, 3).map((a) => a.getAttribute("href")));
  // More looks than the sheet has rows.
  for (let turn = 0; turn < 16; turn += 1) for (const href of hrefs) await desk.goto(href);
  await context.close();
  for (const [options, hands, see] of [[SEEN, mouse, look], [{}, new Keyboard(), nothing], [{ javaScriptEnabled: false }, mouse, nothing]]) {
    await scene(browser, demo, options, async (page) => {
      await enter(page, "citizen");
      await menu(page, hands, "自分の記録を見た人");
      await see(page, "citizen-looks");
      await press(page, hands, "大きな文字の1枚の証明を見る（印刷用）");
      await page.locator(".sheet").waitFor();
      await see(page, "citizen-sheet");
      const said = await page.locator(".sheet").innerText();
      assert.match(said, /介護保険課/);
      assert.doesNotMatch(said, /はな|clerk-1/);
      assert.match(said, /見せていない記録: 0件/);
      assert.ok((await page.locator(".sheet").evaluate((s) => parseFloat(getComputedStyle(s).fontSize))) >= 20, "large type");
      const pdf = await page.pdf({ format: "A4" });
      assert.equal((pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length, 1, "one sheet of A4");
      for (const name of ["署名", "button", "サインアウト"]) assert.ok(!said.includes(name), name);
    });
  }
});

test("nobody but the auditor searches the trace, and a forged search is refused", () =>
  scene(browser, demo, {}, async (page, context) => {
    for (const who of ["clerk", "lead", "care", "system", "operations", "contractor", "citizen"]) {
      await enter(page, who);
      assert.ok([403, 404].includes((await page.goto("/audit")).status()), who);
    }
    await enter(page, "auditor");
    const send = (form) => context.request.post("/audit", { form, headers: { origin: demo.url }, maxRedirects: 0 });
    assert.equal((await send({ officer: "clerk-1" })).status(), 403, "no token");
    await page.goto("/audit");
    const csrf = await page.locator("main input[name=csrf]").inputValue();
    for (const odd of [{ role: "emperor" }, { action: "spy" }, { purpose: "fun" }, { decision: "7" }]) {
      const answer = await send({ csrf, ...odd });
      assert.ok([303, 400].includes(answer.status()), JSON.stringify(odd));
      if (answer.status() !== 303) continue;
      await page.goto(answer.headers().location);
      assert.equal(await rows(page).count(), 0, `${JSON.stringify(odd)} finds nothing`);
    }
    const unknown = "0123456789abcdef0123456789abcdef";
    for (const path of [`/audit/results/${unknown}`, "/audit/results/x", "/audit/reports/1999-01", "/audit/alerts/x/1/1"]) {
      const answer = await page.goto(path);
      assert.ok([404, 400].includes(answer.status()), path);
    }
  }));

// 資格管理: the queues, one person, cards one by one and in a batch, lists as files, the register of businesses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startBoth } from "../lib/both.js";
import { enter, findWithBadge, scene } from "../lib/browser.js";
import { Keyboard, drawn, file, fill, heading, line, menu, mouse, press, text, unlocked } from "../lib/hands.js";
import { look } from "../lib/look.js";

// Large enough that several people reach 65 by the end of next month.
const { demo, browser } = await startBoth(6000);

const SEEN = { bypassCSP: true };
const nothing = async () => {};
const QUEUES = ["65歳到達予定（翌月末まで）", "資格喪失後に残っている処理", "日付の不詳・計算との違い", "被保険者証の再交付が必要な人"];
const REASON = { 理由: "資格管理の定例の処理", 用件: "65歳到達の確認" };

async function queue(page, hands, name = QUEUES[0]) {
  await menu(page, hands, "資格管理");
  await press(page, hands, name, name);
}

/** Opens the n-th person of the list on the page, with a reason when one is asked for. */
async function openPerson(page, hands, see, n = 0) {
  await hands.press(page, page.locator("main tbody th a").nth(n));
  await page.getByRole("heading", { level: 1, name: /閲覧の理由|資格/ }).waitFor();
  if (await page.getByRole("heading", { level: 1, name: "閲覧の理由" }).count()) {
    await fill(page, hands, REASON);
    await see(page, "clerk-insurance-reason");
    await press(page, hands, "理由を記録して開く");
  }
  await page.getByRole("heading", { level: 2, name: "資格の履歴" }).waitFor();
}

const isPdf = (bytes) => bytes.subarray(0, 5).toString() === "%PDF-";

for (const [how, options, hands, see, n] of [
  ["with the mouse", SEEN, mouse, look, 0],
  ["by keyboard alone", {}, new Keyboard(), nothing, 1],
  ["without JavaScript", { javaScriptEnabled: false }, mouse, nothing, 2],
]) {
  test(`a card is issued, issued again and taken back: ${how}`, () =>
    scene(browser, demo, options, async (page) => {
      await enter(page, "clerk");
      await menu(page, hands, "資格管理");
      await see(page, "clerk-insurance");
      await press(page, hands, QUEUES[0], QUEUES[0]);
      await see(page, "clerk-queue");
      await see(page, "clerk-queue-file", "ファイルに出力する");
      await openPerson(page, hands, see, n);
      await see(page, "clerk-qualification");
      await press(page, hands, "被保険者証", "被保険者証");
      assert.ok((await drawn(page)) > 100, "the preview is a picture");
      assert.match(await text(page), /交付の記録はありません。/);
      await fill(page, hands, { 印刷の理由: "65歳到達による交付" });
      await see(page, "clerk-card");
      const first = await file(page, hands, "PDFを作る");
      assert.ok(isPdf(first.bytes), "a PDF");
      assert.match(first.name, /^cards-\d+\.pdf$/, "its name tells nothing");
      await page.reload();
      assert.match(await text(page), /交付の指示がないため、印刷できません/);
      await fill(page, hands, { 再交付の理由: "紛失による再交付" });
      await press(page, hands, "再交付を指示する", "被保険者証");
      await page.getByText("交付の理由: 紛失による再交付").waitFor();
      await fill(page, hands, { 印刷の理由: "窓口で申出" });
      assert.ok(isPdf((await file(page, hands, "PDFを作る")).bytes));
      await page.reload();
      assert.equal(await page.locator("main tbody tr").count(), 2, "two issues");
      await fill(page, hands, { 交付の番号: "1", 回収の理由: "再交付による差替え" });
      await see(page, "clerk-card-return", "再交付を指示する");
      await press(page, hands, "回収を記録する", "被保険者証");
      await page.locator("main tbody tr").first().getByText("再交付による差替え").waitFor();
      await see(page);
    }));
}

/** The n-th living member of a household of 45 to 60 years: the identifier of the record. */
async function member(page, n) {
  let left = n;
  for (const kana of ["さ", "た", "や", "か", "ま", "あ"]) {
    await page.goto("/residents/search");
    await fill(page, mouse, { 受付の種類: "窓口", カナ氏名: kana });
    await press(page, mouse, "検索する", "検索結果");
    for (;;) {
      const rows = page.locator("tbody tr").filter({ has: page.locator(".badge", { hasText: "世帯員" }) })
        .filter({ hasNot: page.locator(".badge", { hasText: /支援措置|転出|死亡/ }) });
      for (const row of await rows.all()) {
        const age = Number.parseInt(await row.locator("td").nth(1).innerText(), 10);
        if (age < 45 || age > 60 || left-- > 0) continue;
        return (await row.locator("th a").getAttribute("href")).split("?")[0].split("/").pop();
      }
      const next = page.locator(".pagination a[rel=next]");
      if (!(await next.count())) break;
      await next.click();
    }
  }
  throw new Error("no member of that age in this town");
}

for (const [how, options, hands, see, n] of [
  ["with the mouse", SEEN, mouse, look, 0],
  ["by keyboard alone", {}, new Keyboard(), nothing, 1],
  ["without JavaScript", { javaScriptEnabled: false }, mouse, nothing, 2],
]) {
  test(`a second category is entered by hand, ends and is taken back: ${how}`, () =>
    scene(browser, demo, options, async (page) => {
      await enter(page, "clerk");
      const id = await member(page, n);
      await page.goto(`/insurance/persons/${id}`);
      await fill(page, hands, { 理由: "届出の受付", 用件: "認定の申請" });
      await press(page, hands, "理由を記録して開く", "この人の資格の記録はありません");
      await see(page);
      await press(page, hands, "資格を入力する", "資格を入力する");
      await press(page, hands, "入力の内容を確かめる", "資格を入力する");
      for (const field of ["kind", "from", "evidence", "note"]) await page.locator(`#${field}-error`).waitFor();
      await see(page);
      await fill(page, hands, {
        種類: "第2号被保険者（認定の申請・被保険者証の交付申請）",
        "始まりの日・決めた日": "R080510",
        "根拠の書類（一覧は想定）": "要介護・要支援認定の申請書",
        入力の理由: "5月10日に受け付けた申請書",
        "第2号のとき: 医療保険に加入していることを確かめました": true,
      });
      await see(page);
      await press(page, hands, "入力の内容を確かめる", "資格を入力するの確認");
      assert.match(await text(page), /令和8年5月10日[^\n]*13 2号申請/);
      await see(page);
      await press(page, hands, "入力に戻る", "資格を入力する");
      assert.equal(await page.locator("#from").inputValue(), "R080510", "the input stays");
      await press(page, hands, "入力の内容を確かめる", "資格を入力するの確認");
      await press(page, hands, "登録する", "被保険者の資格");
      const told = await text(page);
      assert.match(told, /第2号被保険者/);
      assert.match(told, /介護 はな/, "who entered it");
      await see(page);
      await fill(page, hands, { 手入力1を変える理由: "国保をやめた届出", 手入力1の終わりの日: "R081101" });
      await press(page, hands, "終わりの日を記録する", "被保険者の資格");
      assert.match(await text(page), /医療保険の喪失（2号）/);
      await fill(page, hands, { 手入力1を変える理由: "別の人の申請" });
      await press(page, hands, "手入力を取り消す", "被保険者の資格");
      assert.match(await text(page), /手入力1を取消/);
      await see(page);
    }));
}

test("a batch is gathered in delivery order, one is pulled out, the rest printed once", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "clerk");
    await menu(page, mouse, "資格管理");
    await press(page, mouse, "被保険者証の一括発行", "被保険者証の一括発行");
    await look(page);
    await press(page, mouse, "発行対象を集める", "被保険者証の一括発行");
    await page.locator("main tbody tr").first().waitFor();
    await look(page, "clerk-batch");
    const rows = page.locator("main tbody tr");
    const count = await rows.count();
    assert.ok(count >= 2, `${count} wait for a card`);
    const addresses = await rows.evaluateAll((all) => all.map((r) => r.cells[3].innerText));
    assert.ok(addresses.every((a) => a && !a.includes("（非表示）")), "nobody whose address is withheld");
    const pulled = (await rows.first().locator("th").innerText()).split("\n")[0];
    await rows.first().getByRole("button", { name: "引き抜く" }).click();
    await page.getByRole("heading", { level: 2, name: `集めた人（${count - 1}人）` }).waitFor();
    assert.ok((await page.locator("main li").allInnerTexts()).some((t) => t.includes(pulled)), "printed alone");
    await press(page, mouse, "PDFを作り、交付を記録する");
    assert.match(await text(page), /印刷の理由を200文字までで書いてください/);
    await page.goto("/insurance/cards");
    await fill(page, mouse, { 印刷の理由: "12月の定例の発行" });
    const made = await file(page, mouse, "PDFを作り、交付を記録する");
    assert.ok(isPdf(made.bytes));
    assert.equal((made.bytes.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length, count - 1, "a page for each card");
    await page.reload();
    await page.getByText("集めた人はいません。").waitFor();
  }));

test("a list goes out as a file with its reason, in either encoding, and its number in the last row", () =>
  scene(browser, demo, {}, async (page) => {
    await enter(page, "clerk");
    await queue(page, mouse);
    const number = await page.locator("tbody tr").count();
    await press(page, mouse, "CSVを出力する");
    assert.match(await text(page), /出力の理由を200文字までで書いてください/);
    for (const [encoding, decoder] of [["UTF-8（BOM付き）", "utf-8"], ["CP932（シフトJIS）", "shift_jis"]]) {
      await queue(page, mouse);
      await fill(page, mouse, { 文字コード: encoding, 出力の理由: "発送の準備のため" });
      const out = await unlocked(page, mouse, "CSVを出力する", () => look(page, "clerk-output"));
      assert.match(out.name, /^queue-age-\d+\.zip$/);
      assert.equal(out.bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])), decoder === "utf-8", "a BOM in UTF-8 alone");
      const rows = new TextDecoder(decoder, { fatal: true }).decode(out.bytes).trimEnd().split("\r\n");
      assert.match(rows[0], /^"被保険者番号","氏名"/);
      assert.match(rows.at(-1), /介護 はな/, "who took it");
      assert.match(rows.at(-1), /目的: 介護保険に関する事務/, "what for");
      assert.ok(rows.length - 2 <= number && rows.length > 2, `${rows.length} rows for ${number} persons`);
    }
  }));

test("a qualification is cancelled, restored, ended and opened again, each with its reason", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "clerk");
    await menu(page, mouse, "資格管理");
    await page.goto("/residents/search");
    await fill(page, mouse, { 受付の種類: "窓口", カナ氏名: "やまだ" });
    await press(page, mouse, "検索する", "検索結果");
    const rows = page.locator("tbody tr").filter({ hasNot: page.locator(".badge", { hasText: /世帯員|支援措置|転出|死亡/ }) });
    const id = (await rows.first().locator("th a").getAttribute("href")).split("?")[0].split("/").pop();
    await page.goto(`/insurance/persons/${id}`);
    await press(page, mouse, "理由を記録して開く");
    await page.locator("#reason-error").waitFor();
    await look(page);
    await fill(page, mouse, REASON);
    await press(page, mouse, "理由を記録して開く");
    const state = page.locator("table").first().locator("tbody tr").first();
    await state.waitFor();
    const act = async (button, more = {}) => {
      await page.locator("#note-1").fill("戸籍で確認");
      for (const [name, value] of Object.entries(more)) {
        if (name === "lost") await page.locator("#lost-1").selectOption({ index: value });
        else await page.locator(`#${name}-1`).fill(value);
      }
      await press(page, mouse, button);
      await page.getByRole("heading", { level: 2, name: "資格の履歴" }).waitFor();
    };
    await look(page, "clerk-decide", "資格の履歴");
    await act("資格を取り消す");
    assert.match(await state.innerText(), /取消/);
    await look(page);
    await act("取消を取りやめる");
    assert.match(await state.innerText(), /有効/);
    await act("喪失させる", { until: "R8.11.1", lost: 1 });
    assert.match(await state.innerText(), /令和8年11月1日/);
    await act("喪失を取り消す（回復）");
    assert.match(await state.innerText(), /有効/);
    assert.doesNotMatch(await state.innerText(), /令和8年11月1日/);
    await press(page, mouse, "資格を取り消す");
    assert.match(await text(page), /決定の理由を200文字までで書いてください/);
  }));

test("the second of two officers is not allowed to overwrite the first", () =>
  scene(browser, demo, {}, async (page, context) => {
    await enter(page, "clerk");
    await queue(page, mouse);
    await openPerson(page, mouse, nothing, 0);
    const at = new URL(page.url()).pathname;
    await page.goto(`${at}/card`);
    const csrf = await page.locator("main input[name=csrf]").first().inputValue();
    const version = await page.locator("main input[name=version]").first().inputValue();
    const send = () => context.request.post(`${at}/card`, {
      form: { csrf, version, what: "order", why: "broken" }, headers: { origin: demo.url }, maxRedirects: 0,
    });
    assert.equal((await send()).status(), 303);
    const late = await send();
    assert.ok(late.status() >= 400, `the same version twice: ${late.status()}`);
    assert.match(await late.text(), /[\u3040-\u30ff\u4e00-\u9fff]{6,}/u);
  }));

test("the register of businesses names all eighteen and says what is assumed", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "lead");
    await page.goto("/insurance/businesses");
    await look(page);
    assert.equal(await page.locator("tbody tr").count(), 18);
    assert.match(await page.locator(".banner-warning").innerText(), /想定/);
  }));

test("every queue is sound, and finds say where they are recorded", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "clerk");
    for (const name of QUEUES) {
      await queue(page, mouse, name);
      await look(page);
      assert.ok((await line(page)) > 0);
    }
    await menu(page, mouse, "資格管理");
    for (const number of ["", "12x", "あ".repeat(3000), "' OR 1=1 --", "00000000000"]) {
      await fill(page, mouse, { 被保険者番号: number });
      await press(page, mouse, "さがす");
      await page.locator("#number-error").waitFor();
    }
    await look(page);
    await fill(page, mouse, { 被保険者番号: "9999999999" });
    await press(page, mouse, "さがす", "資格管理");
    assert.match(await text(page), /該当する人は見つかりませんでした/);
  }));

test("a protected person's card is the lead officer's work alone", async () => {
  const { path } = await scene(browser, demo, {}, async (page) => {
    await enter(page, "clerk");
    return findWithBadge(page, "支援措置", ["世帯員", "支援措置（同居）", "転出", "死亡"]);
  });
  const card = path.replace("/residents/", "/insurance/persons/");
  await scene(browser, demo, SEEN, async (page) => {
    await enter(page, "clerk");
    await page.goto(card);
    await fill(page, mouse, { 理由: "届出の受付" });
    await press(page, mouse, "理由を記録して開く");
    await page.goto(`${card}/card`);
    await look(page);
    assert.match(await text(page), /証を表示していません/);
    assert.equal(await page.locator("main img").count(), 0);
  });
  await scene(browser, demo, SEEN, async (page) => {
    await enter(page, "lead");
    await page.goto(card);
    await fill(page, mouse, { 理由: "届出の受付" });
    await press(page, mouse, "理由を記録して開く");
    await page.goto(`${card}/card`);
    await look(page);
    assert.equal(await page.locator("main img").count(), 1);
  });
});

test("what is not there, and who has no business here", () =>
  scene(browser, demo, {}, async (page, context) => {
    await enter(page, "clerk");
    const unknown = "0123456789abcdef0123456789abcdef";
    const model = await (await context.request.get("/nothing")).text();
    for (const path of ["/insurance/queues/spy", `/insurance/persons/${unknown}`, `/insurance/persons/${unknown}/card`,
      `/insurance/persons/${unknown}/card/picture`, "/insurance/persons/x", "/insurance/persons/%00/card"]) {
      const answer = await context.request.get(path);
      assert.equal(answer.status(), 404, path);
      assert.equal(await answer.text(), model, `${path} looks like anything that is not there`);
    }
    for (const who of ["contractor", "citizen"]) {
      await enter(page, who);
      for (const path of ["/insurance", "/insurance/queues/age", "/insurance/cards"]) {
        assert.equal((await page.goto(path)).status(), 404, `${who} at ${path}`);
      }
    }
    for (const who of ["care", "system", "auditor", "operations"]) {
      await enter(page, who);
      for (const path of ["/insurance", "/insurance/queues/age", "/insurance/cards"]) {
        const answer = await page.goto(path);
        assert.equal(answer.status(), 403, `${who} at ${path}`);
        await heading(page, "この操作はできません");
      }
    }
  }));

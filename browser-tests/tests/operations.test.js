// 利用者管理: registration, appointments by two, limits, stop, password, review, organisations and contracts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startBoth } from "../lib/both.js";
import { LOGINS, enter, open, scene, term } from "../lib/browser.js";
import { Keyboard, afresh, fill, heading, menu, mouse, press, text } from "../lib/hands.js";
import { look } from "../lib/look.js";

const { demo, browser } = await startBoth();

const SEEN = { bypassCSP: true };
const nothing = async () => {};
const row = (page, words) => page.locator("main tbody tr").filter({ hasText: words });

/** kanri-1 registers somebody and asks for a role; the initial password. */
async function register(page, hands, see, login, name, role = "介護保険課 職員", office = "介護保険課") {
  await enter(page, "operations");
  await menu(page, hands, "利用者管理", "利用者の一覧");
  await see(page, "office-people");
  await press(page, hands, "利用者を登録する", "利用者の登録");
  await fill(page, hands, { ID: login, 氏名: name, "所属・機関": office, 申請する役割: role, 任命の最後の日: "R10.3.31", 理由: "4月1日付けの異動のため" });
  await see(page, "office-register");
  await press(page, hands, "登録して任命を申請する", "初期パスワードの控え");
  await see(page, "office-slip");
  const password = await term(page, "初期パスワード").innerText();
  await press(page, hands, "利用者の登録内容を開く", "利用者の登録内容");
  assert.equal(await term(page, "ID").innerText(), login);
  assert.match(await text(page), /任命はまだありません。/);
  return password;
}

/** Opens the waiting request about somebody and presses a button of it. */
async function settle(page, hands, see, who, name, button) {
  await enter(page, who);
  await menu(page, hands, "利用者管理", "利用者の一覧");
  await press(page, hands, "承認を待つ申請", "申請の一覧");
  await see(page, "office-requests");
  await hands.press(page, row(page, name).filter({ hasText: "承認待ち" }).getByRole("link").first());
  await heading(page, "申請");
  await see(page, "office-request");
  await press(page, hands, button, "申請の一覧");
}

async function openUser(page, hands, name) {
  await menu(page, hands, "利用者管理", "利用者の一覧");
  await hands.press(page, row(page, name).getByRole("link").first());
  await heading(page, "利用者の登録内容");
}

for (const [how, options, hands, see, login, name] of [
  ["with the mouse", SEEN, mouse, look, "shinjin-1", "新人 さくら"],
  ["by keyboard alone", {}, new Keyboard(), nothing, "shinjin-2", "鍵盤 うつ"],
  ["without JavaScript", { javaScriptEnabled: false }, mouse, nothing, "shinjin-3", "素朴 かた"],
]) {
  test(`one registers, another appoints, the third works: ${how}`, () =>
    scene(browser, demo, options, async (page) => {
      const password = await register(page, hands, see, login, name);
      const at = page.url();
      // Whoever asks cannot approve.
      await hands.press(page, row(page, "介護保険課 職員").getByRole("link").first());
      await heading(page, "申請");
      assert.match(await text(page), /申請した人は承認できません/);
      assert.equal(await page.getByRole("button", { name: "承認する" }).count(), 0);
      await settle(page, hands, see, "second", name, "承認する");
      await page.goto(at);
      assert.match(await row(page, "介護保険課 職員").first().innerText(), /令和10年3月31日 \(2028\)まで/);
      await see(page, "office-person");
      await hands.press(page, page.getByRole("button", { name: "サインアウト" }));
      await heading(page, "役割を選んで試す");
      await page.goto("/sign-in");
      await fill(page, hands, { ID: login, パスワード: password });
      await press(page, hands, "サインイン");
      await heading(page, "パスワードの変更");
      await see(page);
    }));
}

test("a declined or withdrawn request gives nothing", () =>
  scene(browser, demo, SEEN, async (page) => {
    await register(page, mouse, nothing, "kyakka-1", "却下 される");
    await settle(page, mouse, nothing, "second", "却下 される", "却下する");
    await openUser(page, mouse, "却下 される");
    assert.match(await text(page), /任命はまだありません。/);
    assert.match(await text(page), /申請の却下|却下/);
    await press(page, mouse, "任命を申請する", "任命の申請");
    await look(page);
    await fill(page, mouse, { 役割: "支援措置の担当責任者", 理由: "取り下げるため" });
    await press(page, mouse, "申請する", "利用者の登録内容");
    await settle(page, mouse, (shown) => look(shown), "second", "支援措置の担当責任者", "申請を取り下げる");
    await openUser(page, mouse, "却下 される");
    assert.match(await text(page), /任命はまだありません。/);
  }));

test("limits of one user are asked for and approved, and hold at the next page", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "operations");
    await openUser(page, mouse, "介護 はな");
    await press(page, mouse, "利用範囲の変更を申請する", "利用範囲の変更の申請");
    await fill(page, mouse, { 範囲: "下で選んだ情報だけ" });
    for (const box of await page.locator("input[type=checkbox]").all()) await box.uncheck();
    await page.locator("#read").getByLabel("基本情報").check();
    await fill(page, mouse, { 理由: "研修の期間のため" });
    await look(page, "office-scope");
    await press(page, mouse, "申請する", "利用者の登録内容");
    await settle(page, mouse, nothing, "second", "介護 はな", "承認する");
    await openUser(page, mouse, "介護 はな");
    assert.doesNotMatch(await term(page, "閲覧できる情報").innerText(), /住所/);
    await enter(page, "clerk");
    await page.goto("/residents/search");
    await fill(page, mouse, { 受付の種類: "窓口", カナ氏名: "やまだ" });
    await press(page, mouse, "検索する", "検索結果");
    assert.doesNotMatch(await page.locator("tbody").innerText(), /見守市/, "no address for whoever may not see it");
    await enter(page, "operations");
    await openUser(page, mouse, "介護 はな");
    await press(page, mouse, "利用範囲の変更を申請する", "利用範囲の変更の申請");
    await fill(page, mouse, { 範囲: "役割で認められたすべて", 理由: "研修が終わったため" });
    await press(page, mouse, "申請する", "利用者の登録内容");
    await settle(page, mouse, nothing, "second", "介護 はな", "承認する");
  }));

test("whoever is stopped is out at the next click, and a new password needs a proof of who asks", async () => {
  const worker = await open(browser, demo);
  try {
    await enter(worker.page, "care");
    await scene(browser, demo, SEEN, async (page) => {
      await enter(page, "operations");
      await openUser(page, mouse, "包括 あゆみ");
      await press(page, mouse, "パスワードを再発行する", "パスワードの再発行");
      await press(page, mouse, "再発行する");
      await page.locator(".error-summary").waitFor();
      assert.equal(await page.locator("#checked-error").count(), 1);
      await afresh(page);
      await fill(page, mouse, { 本人確認の方法: "職員証（顔写真つき）・対面", 申出の内容: "パスワードを忘れた" });
      await look(page, "office-password");
      await press(page, mouse, "再発行する", "初期パスワードの控え");
      await worker.page.reload();
      assert.match(worker.page.url(), /\/sign-in/, "the old session ended");
      await enter(worker.page, "care");
      await press(page, mouse, "利用者の登録内容を開く", "利用者の登録内容");
      assert.match(await text(page), /職員証（顔写真つき）/);
      await press(page, mouse, "利用を停止する", "利用の停止");
      await fill(page, mouse, { 理由: "退職・契約の終了", くわしい理由: "11月30日付けで退職" });
      await look(page, "office-stop");
      await press(page, mouse, "利用を停止する");
      await worker.page.goto("/residents/search");
      assert.match(worker.page.url(), /\/sign-in/, "out at the next click");
      await openUser(page, mouse, "包括 あゆみ");
      assert.equal(await term(page, "状態").innerText(), "停止");
    });
  } finally {
    await worker.context.close();
  }
});

test("the quarterly review asks for every user, and nobody reviews himself", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "operations");
    await menu(page, mouse, "利用者管理", "利用者の一覧");
    await press(page, mouse, "権限の棚卸し", "権限の棚卸し");
    await look(page, "office-review");
    assert.match(await row(page, "運営 みどり").innerText(), /ほかの人が確認します/);
    await press(page, mouse, "守屋 まことを確認する", "権限の棚卸しの確認");
    await fill(page, mouse, { 結果: "権限を変える（別に申請する）" });
    await press(page, mouse, "確認を記録する");
    assert.match(await page.locator("#note-error").innerText(), /所見を入力してください/);
    await afresh(page);
    await fill(page, mouse, { 結果: "このまま続ける" });
    await look(page, "office-review-one");
    await press(page, mouse, "確認を記録する", "権限の棚卸し");
    assert.match(await row(page, "守屋 まこと").innerText(), /このまま続ける/);
  }));

test("an organisation is registered once and its end ends its people", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "operations");
    await menu(page, mouse, "利用者管理", "利用者の一覧");
    await press(page, mouse, "所属・機関", "所属・機関");
    await look(page, "office-organisations");
    for (const turn of [1, 2]) {
      await press(page, mouse, "所属・機関を登録する", "所属・機関の登録");
      await fill(page, mouse, { 種別: "利用機関（介護・医療）", 名称: "見本訪問介護ステーション" });
      await press(page, mouse, "登録する");
      if (turn === 2) assert.match(await page.locator("#name-error").innerText(), /同じ名称/);
      await look(page);
    }
    await page.goto("/operations/organisations");
    await press(page, mouse, "見本訪問介護ステーションを終了する", "所属・機関の終了");
    await look(page);
    await fill(page, mouse, { 理由: "廃止のため" });
    await press(page, mouse, "終了する", "所属・機関");
    assert.match(await row(page, "見本訪問介護ステーション").innerText(), /終了（/);
  }));

test("a partner works only while a contract is in force", async () => {
  const partner = await open(browser, demo);
  try {
    await enter(partner.page, "contractor");
    await scene(browser, demo, SEEN, async (page) => {
      await enter(page, "operations");
      await menu(page, mouse, "利用者管理", "利用者の一覧");
      await press(page, mouse, "委託契約", "委託契約");
      await look(page, "office-contracts");
      await press(page, mouse, "契約の登録・更新を申請する", "契約の登録の申請");
      await press(page, mouse, "申請する");
      await page.locator(".error-summary").waitFor();
      await look(page);
      await afresh(page);
      await fill(page, mouse, { 委託先: "見本情報サービス（委託先）", 件名: "令和8年度 点検", 根拠: "契約書第9号" });
      await page.locator("#purpose input").first().check();
      await look(page, "office-contract");
      await press(page, mouse, "申請する");
      await settle(page, mouse, nothing, "second", "令和8年度 点検", "承認する");
      await page.goto("/operations/contracts");
      assert.match(await row(page, "令和8年度 点検").innerText(), /有効/);
      for (const subject of ["令和8年度 点検", "システム保守（見本）"]) {
        await press(page, mouse, `${subject}を終了する`, "契約の終了");
        await look(page);
        await fill(page, mouse, { 理由: "中途解約" });
        await press(page, mouse, "契約を終了する", "委託契約");
        assert.match(await row(page, subject).innerText(), /途中で終了/);
      }
    });
    await partner.page.goto("/account");
    assert.match(partner.page.url(), /\/sign-in/, "out at the next click");
  } finally {
    await partner.context.close();
  }
});

test("whoever would leave one person to approve is told before", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "operations");
    await openUser(page, mouse, "運営 たかし");
    await press(page, mouse, "利用を停止する", "利用の停止");
    await fill(page, mouse, { 理由: "異動", くわしい理由: "試し" });
    await look(page);
    await press(page, mouse, "利用を停止する");
    await page.locator("#few-error").waitFor();
    await look(page);
    await openUser(page, mouse, "運営 たかし");
    assert.notEqual(await term(page, "状態").innerText(), "停止");
    await press(page, mouse, "任命を申請する", "任命の申請");
    await fill(page, mouse, { 役割: "運営管理責任者", 理由: "試し" });
    await press(page, mouse, "申請する");
    assert.match(await page.locator("#role-error").innerText(), /もう就いています/);
  }));

test("a user asks for the own end; the office sees the request", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "lead");
    await page.goto("/account");
    await press(page, mouse, "利用の終了を申し出る");
    await page.locator(".error-summary").waitFor();
    await afresh(page);
    await fill(page, mouse, { 利用を終える理由: "3月31日付けの異動のため" });
    await look(page);
    await press(page, mouse, "利用の終了を申し出る");
    assert.match(await term(page, "利用の終了の申出").innerText(), /^承認待ち/);
    assert.equal(await page.getByRole("button", { name: "利用の終了を申し出る" }).count(), 0);
    await look(page);
    await enter(page, "operations");
    await page.goto("/operations/requests");
    assert.match(await row(page, "守屋 まこと").first().innerText(), /終了/);
  }));

test("the diagram of duties and the counts of the system administrator are sound and tell no more", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "operations");
    await page.goto("/operations/structure");
    await look(page, "office-structure");
    await enter(page, "system");
    await page.goto("/operations/overview");
    await look(page);
    const said = await text(page);
    for (const name of ["介護 はな", "clerk-1", "守屋"]) assert.ok(!said.includes(name), name);
  }));

test("an institution's staff list is put in by one manager and becomes one PDF for the other", () =>
  scene(browser, demo, {}, async (page) => {
    await enter(page, "operations");
    await page.goto("/operations/organisations/new");
    await fill(page, mouse, { 種別: "利用機関（介護・医療）", 名称: "見守の里" });
    await press(page, mouse, "登録する", "所属・機関");
    await menu(page, mouse, "利用者管理", "利用者の一覧");
    await press(page, mouse, "利用者の一括申請", "利用者の一括申請");
    await press(page, mouse, "一括申請を入力する", "利用者の一括申請");
    const given = { "所属・機関": "見守の里", 申請した機関の責任者: "施設長 見守 花子", 理由: "利用開始", 誤りのある行: "一行でも誤りがあれば、どの人も申請しない" };
    await fill(page, mouse, { ...given, 貼り付けた名簿: "sato-1\t見守 はな\t業務利用者\nsato-2\t見守 太郎\t監査責任者" });
    await press(page, mouse, "確かめて申請する");
    assert.match(await page.locator("#lines-error").innerText(), /2行目 役割/);
    await fill(page, mouse, { ...given, 貼り付けた名簿: "sato-1\t見守 はな\t業務利用者\nsato-2\t見守 太郎\t利用機関管理責任者" });
    await press(page, mouse, "確かめて申請する");
    await page.getByText("入力した人は承認できません").waitFor();
    assert.equal(await page.locator("nav [aria-current=page]").innerText(), "利用者管理");
    await enter(page, "second");
    await page.goto("/operations/batches");
    await row(page, "見守の里").getByRole("link").first().click();
    await heading(page, "利用者の一括申請");
    const download = page.waitForEvent("download", { timeout: 60_000 }).catch(() => null);
    const answered = page.waitForResponse((r) => r.request().method() === "POST", { timeout: 60_000 });
    await page.getByRole("button", { name: "承認してPDFを作る" }).click();
    assert.match((await answered).headers()["content-type"], /application\/pdf/);
    await download;
    await page.goto("/operations/people");
    assert.equal(await row(page, "sato-").count(), 2);
  }));

test("nobody else comes near the users", () =>
  scene(browser, demo, {}, async (page) => {
    const unknown = "0123456789abcdef0123456789abcdef";
    const places = ["people", "people/new", "structure", "requests", "reviews", "organisations", "organisations/new", "contracts", "contracts/new",
      "batches", "batches/new", `people/${unknown}/stop`, `people/${unknown}/resident`, `people/${unknown}/password`, `people/${unknown}/role`, `people/${unknown}/scope`];
    for (const who of ["clerk", "lead", "citizen", "system"]) {
      await enter(page, who);
      for (const place of places) {
        const answer = await page.goto(`/operations/${place}`);
        assert.ok([403, 404].includes(answer.status()), `${who} at ${place}: ${answer.status()}`);
      }
    }
  }));

const LONG = "あ".repeat(3000);

test("odd and huge input is refused beside its field and never becomes markup", () =>
  scene(browser, demo, {}, async (page) => {
    await enter(page, "operations");
    const good = { ID: "henna-1", 氏名: "変 な", "所属・機関": "介護保険課", 申請する役割: "介護保険課 職員", 理由: "試し" };
    for (const [label, field, values] of [
      ["ID", "login", ["", "A", "太郎", "a b", "../etc", "a".repeat(300), "'; DROP TABLE identity_user;--", "clerk-1"]],
      ["氏名", "name", ["", "見".repeat(61), "変\u200b な"]],
      ["任命の最後の日", "until", ["昨日", "R1.1.1", "2999-99-99", "2029-02-29", LONG]],
      ["任命の最初の日", "from", ["昭和64年1月8日"]],
      ["理由", "reason", [""]],
    ]) {
      for (const value of values) {
        await page.goto("/operations/people/new");
        await fill(page, mouse, { ...good, [label]: value });
        await press(page, mouse, "登録して任命を申請する");
        const beside = page.locator(`#${field}-error`);
        await beside.waitFor();
        assert.match(await beside.innerText(), /[\u3040-\u30ff\u4e00-\u9fff]{4,}/u, `${label} = ${value.slice(0, 30)}`);
      }
    }
    await page.goto("/operations/people/new");
    await fill(page, mouse, { ...good, 氏名: "<b>太字</b> & \"引用\"", 理由: "<script>alert(1)</script>" });
    await press(page, mouse, "登録して任命を申請する", "初期パスワードの控え");
    await press(page, mouse, "利用者の登録内容を開く", "利用者の登録内容");
    assert.equal(await term(page, "氏名").innerText(), "<b>太字</b> & \"引用\"");
    assert.match(await text(page), /<script>alert\(1\)<\/script>/);
  }));

test("a forged appointment is refused: without its token, for oneself, with a role that does not exist", () =>
  scene(browser, demo, {}, async (page, context) => {
    await enter(page, "operations");
    await openUser(page, mouse, "情報 たける");
    const at = new URL(page.url()).pathname;
    await press(page, mouse, "任命を申請する", "任命の申請");
    const csrf = await page.locator("main input[name=csrf]").inputValue();
    const send = (path, form) => context.request.post(path, { form, headers: { origin: demo.url }, maxRedirects: 0 });
    assert.equal((await send(`${at}/role`, { role: "clerk", reason: "x" })).status(), 403, "no token");
    assert.equal((await send(`${at}/role`, { csrf, role: "emperor", reason: "x" })).status(), 400, "no such role");
    assert.equal((await send(`${at}/role`, { csrf, role: "citizen", reason: "x" })).status(), 400, "not a role of the office");
    await page.goto("/operations/people");
    const own = await row(page, LOGINS.operations).getByRole("link").first().getAttribute("href");
    const answer = await send(`${own}/role`, { csrf, role: "auditor", reason: "x" });
    assert.ok([400, 403, 409].includes(answer.status()), `a request for oneself: ${answer.status()}`);
  }));

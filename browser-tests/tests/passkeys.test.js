// Passkeys with Chromium's virtual authenticator, and the demo's simulated face terminal (S0-48).

import assert from "node:assert/strict";
import { test } from "node:test";
import { startBoth } from "../lib/both.js";
import { enter, open, scene, term } from "../lib/browser.js";
import { fill, heading, menu, mouse, press, text } from "../lib/hands.js";
import { look, sound } from "../lib/look.js";

const { demo, browser } = await startBoth();

const SEEN = { bypassCSP: true };
const row = (page, words) => page.locator("main tbody tr").filter({ hasText: words });

/** A device that verifies its user, or does not. Shape: { cdp, id }. */
async function device(page, isUserVerified = true) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified,
      automaticPresenceSimulation: true,
    },
  });
  return { cdp, id: authenticatorId };
}

async function openUser(page, name) {
  await menu(page, mouse, "利用者管理", "利用者の一覧");
  await mouse.press(page, row(page, name).getByRole("link").first());
  await heading(page, "利用者の登録内容");
}

/** The counter checks somebody and gives the code. */
async function counter(name, who = "operations", see = async () => {}) {
  return scene(browser, demo, SEEN, async (page) => {
    await enter(page, who);
    await openUser(page, name);
    await press(page, mouse, "パスキーの登録を受け付ける", "パスキーの登録の受付");
    await see(page);
    await fill(page, mouse, { 確かめた書類: "職員証", 確かめた方法: "写真と顔を見比べた" });
    await press(page, mouse, "受け付けて番号を出す", "パスキーの受付の番号");
    return term(page, "受付の番号").innerText();
  });
}

/** Comes to the page whose button asks the device. */
async function begin(page, code, name) {
  await page.goto("/passkeys/new");
  await fill(page, mouse, { 受付の番号: code, パスキーの名前: name });
  await page.getByRole("button", { name: "次へ" }).click();
  await page.getByRole("button", { name: "この機器を登録する" }).waitFor();
}

async function register(page, code, name) {
  await begin(page, code, name);
  await page.getByRole("button", { name: "この機器を登録する" }).click();
  await heading(page, "自分のパスキー");
}

const ask = (page) => page.getByRole("button", { name: "パスキーで本人確認をする" }).click();

/** What the page says when the device or the browser refuses. */
const told = (page) => page.locator("[data-passkey-told]");

test("a user registers at the counter and then signs in by password and passkey", () =>
  scene(browser, demo, SEEN, async (page) => {
    // One registers, another appoints.
    await enter(page, "operations");
    await menu(page, mouse, "利用者管理", "利用者の一覧");
    await press(page, mouse, "利用者を登録する", "利用者の登録");
    await fill(page, mouse, { ID: "kagi-1", 氏名: "鍵 もつ", "所属・機関": "介護保険課", 申請する役割: "介護保険課 職員", 理由: "試し" });
    await press(page, mouse, "登録して任命を申請する", "初期パスワードの控え");
    const first = await term(page, "初期パスワード").innerText();
    await enter(page, "second");
    await menu(page, mouse, "利用者管理", "利用者の一覧");
    await press(page, mouse, "承認を待つ申請", "申請の一覧");
    await mouse.press(page, row(page, "鍵 もつ").getByRole("link").first());
    await press(page, mouse, "承認する", "申請の一覧");
    const signIn = async (password) => {
      await page.goto("/sign-in");
      await fill(page, mouse, { ID: "kagi-1", パスワード: password });
      await press(page, mouse, "サインイン");
    };
    const own = "海辺の石段を三つ数える 7";
    await signIn(first);
    await fill(page, mouse, { いまのパスワード: first, 新しいパスワード: own, "新しいパスワード（もう一度）": own });
    await press(page, mouse, "変更する", "サインイン");
    await signIn(own);
    await heading(page, "ホーム");
    const code = await counter("鍵 もつ", "operations", (shown) => look(shown, "office-passkey"));
    await device(page);
    await page.goto("/passkeys/new");
    await look(page);
    await register(page, code, "窓口の端末");
    await look(page);
    assert.match(await row(page, "窓口の端末").innerText(), /使用中/);
    // From now on the password alone opens nothing.
    await mouse.press(page, page.getByRole("button", { name: "サインアウト" }));
    await heading(page, "役割を選んで試す");
    await signIn(own);
    await heading(page, "本人確認");
    await look(page);
    await page.goto("/residents/search");
    await heading(page, "本人確認");
    await ask(page);
    await heading(page, "ホーム");
    await page.goto("/verify?to=/account");
    assert.match(await term(page, "いまの本人確認").innerText(), /よい/);
    await ask(page);
    await heading(page, "自分の登録");
    // Whoever locks the screen went away: the verification is not fresh after it.
    await page.evaluate(() => {
      const form = document.querySelector("form[data-sign-out]");
      form.action = "/lock";
      form.submit();
    });
    await heading(page, "画面のロック");
    await fill(page, mouse, { パスワード: own });
    await press(page, mouse, "ロックを解く", "ホーム");
    await page.goto("/verify");
    assert.match(await term(page, "いまの本人確認").innerText(), /足りない/);
    assert.match(await term(page, "サインイン").innerText(), /よい/);
  }));

test("a device that does not verify its user is not registered, and the page says why", () =>
  scene(browser, demo, SEEN, async (page) => {
    const code = await counter("包括 あゆみ");
    await enter(page, "care");
    const { cdp, id } = await device(page, false);
    await begin(page, code, "確かめない端末");
    await page.getByRole("button", { name: "この機器を登録する" }).click();
    await told(page).waitFor();
    assert.match(await told(page).innerText(), /もう一度押してください/);
    await sound(page);
    // The same code, once the device verifies.
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId: id, isUserVerified: true });
    await page.getByRole("button", { name: "この機器を登録する" }).click();
    await heading(page, "自分のパスキー");
    // And at each use.
    await page.goto("/verify");
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId: id, isUserVerified: false });
    await ask(page);
    await told(page).waitFor();
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId: id, isUserVerified: true });
    await ask(page);
    await heading(page, "ホーム");
  }));

test("several passkeys, one of them lost", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "lead");
    const first = await counter("守屋 まこと");
    const one = await device(page);
    await register(page, first, "一つ目");
    await one.cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: one.id });
    const second = await counter("守屋 まこと");
    await device(page);
    await register(page, second, "二つ目");
    await mouse.press(page, page.getByRole("button", { name: "一つ目を失効する" }));
    await heading(page, "自分のパスキー");
    assert.match(await row(page, "一つ目").innerText(), /失効/);
    await page.goto("/verify");
    await ask(page);
    await heading(page, "ホーム");
    // The office revokes the other: the session ends.
    await scene(browser, demo, SEEN, async (office) => {
      await enter(office, "operations");
      await openUser(office, "守屋 まこと");
      await look(office);
      await mouse.press(office, office.getByRole("link", { name: "二つ目を失効する" }));
      await heading(office, "パスキーの失効");
      await look(office);
      await fill(office, mouse, { 理由: "端末の紛失の届出" });
      await press(office, mouse, "失効する", "利用者の登録内容");
    });
    await page.goto("/passkeys");
    await heading(page, "サインイン");
  }));

test("a copy with an older counter is refused, suspended, and shown to the office", () =>
  scene(browser, demo, SEEN, async (page) => {
    const code = await counter("監査 きよし");
    await enter(page, "auditor");
    const { cdp, id } = await device(page);
    await register(page, code, "写される端末");
    for (let n = 0; n < 3; n += 1) {
      await page.goto("/verify");
      await ask(page);
      await heading(page, "ホーム");
    }
    const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId: id });
    const [credential] = credentials;
    await cdp.send("WebAuthn.removeCredential", { authenticatorId: id, credentialId: credential.credentialId });
    await cdp.send("WebAuthn.addCredential", { authenticatorId: id, credential: { ...credential, signCount: 1 } });
    await page.goto("/verify");
    await ask(page);
    await page.getByText("複製された疑い").first().waitFor();
    await look(page);
    await page.goto("/passkeys");
    assert.match(await row(page, "写される端末").innerText(), /停止（複製の疑い）/);
    await scene(browser, demo, SEEN, async (office) => {
      await enter(office, "operations");
      await menu(office, mouse, "利用者管理", "利用者の一覧");
      await press(office, mouse, "特定個人情報取扱者", "特定個人情報取扱者");
      assert.match(await text(office), /複製の疑いで停止したパスキーがあります。.*監査 きよし/s);
      await look(office, "office-handlers");
    });
  }));

test("under another address the page says where to go, and the device refuses", async () => {
  const code = await counter("介護 はな");
  const elsewhere = { ...demo, url: demo.url.replace("localhost", "127.0.0.1") };
  const { context, page } = await open(browser, elsewhere, SEEN);
  try {
    await enter(page, "clerk");
    await device(page);
    await page.goto("/passkeys/new");
    assert.ok((await text(page)).includes(demo.url), "the right address stands there");
    await begin(page, code, "よその端末");
    await page.getByRole("button", { name: "この機器を登録する" }).click();
    await told(page).waitFor();
    assert.match(await told(page).innerText(), /登録したときのアドレス/);
    await page.goto("/passkeys");
    assert.match(await text(page), /登録されたパスキーはありません/);
  } finally {
    await context.close();
  }
});

test("a browser without passkeys is told so", () =>
  scene(browser, demo, SEEN, async (page) => {
    await page.addInitScript(() => {
      delete window.PublicKeyCredential;
    });
    const code = await counter("介護 はな");
    await enter(page, "clerk");
    await begin(page, code, "古い端末");
    assert.match(await told(page).innerText(), /このブラウザーではパスキーを使えません/);
    assert.ok(await page.getByRole("button", { name: "この機器を登録する" }).isDisabled());
  }));

for (const [how, options] of [["with JavaScript", SEEN], ["without JavaScript", { javaScriptEnabled: false }]]) {
  test(`the simulated face terminal verifies the handler of the demo: ${how}`, () =>
    scene(browser, demo, options, async (page) => {
      await enter(page, "handler");
      await page.goto("/verify?to=/account");
      const see = options === SEEN ? look : async () => {};
      await see(page);
      assert.match(await term(page, "特定個人情報取扱者の指定").innerText(), /よい/);
      assert.match(await term(page, "端末").innerText(), /よい/);
      await mouse.press(page, page.getByRole("link", { name: "模擬の顔認証の端末へ（デモ）" }));
      await heading(page, "顔認証の端末（模擬）");
      await see(page);
      assert.match(await text(page), /カメラは使わず、だれの顔も見ません/);
      await mouse.press(page, page.getByRole("button", { name: "カメラの前に立つ（模擬）" }));
      await heading(page, "自分の登録");
      await page.goto("/verify");
      assert.ok(!(await text(page)).includes("足りない"));
    }));
}

test("who has a passkey is verified anew before an approval, and led back", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "operations");
    await menu(page, mouse, "利用者管理", "利用者の一覧");
    await press(page, mouse, "登録された端末", "登録された端末");
    await look(page, "office-terminals");
    await press(page, mouse, "端末の登録を申請する", "端末の登録の申請");
    await look(page);
    await fill(page, mouse, { 端末の名前: "窓口9", 取扱区域: "執務室", "アドレスか、証明書のSHA-256": "10.9.8.7", 理由: "試し" });
    await press(page, mouse, "申請する", "登録された端末");
    const code = await counter("運営 たかし");
    await enter(page, "second");
    await device(page);
    await register(page, code, "承認の端末");
    // A new session of the demo begins without a verification; the first proof makes it one that has to be fresh.
    await menu(page, mouse, "利用者管理", "利用者の一覧");
    await press(page, mouse, "承認を待つ申請", "申請の一覧");
    await mouse.press(page, row(page, "窓口9").getByRole("link").first());
    await press(page, mouse, "承認する", "申請の一覧");
    assert.match(await row(page, "窓口9").innerText(), /承認/);
  }));

test("the setup sheet fits on one printed page", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "system");
    await page.goto("/passkeys/setup");
    await look(page);
    const paper = await page.pdf({ format: "A4" });
    const pages = paper.toString("latin1").match(/\/Type\s*\/Page[^s]/g).length;
    assert.equal(pages, 1, `${pages} pages`);
  }));

test("a handler is designated by two on the screen", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "operations");
    await openUser(page, "介護 はな");
    await press(page, mouse, "特定個人情報取扱者の指定を申請する", "特定個人情報取扱者の指定の申請");
    await look(page);
    await fill(page, mouse, { 理由: "資格係" });
    await press(page, mouse, "申請する");
    assert.match(await text(page), /研修の日を入力してください/);
    const today = new Date(Date.now() + 9 * 3600e3).toISOString().slice(0, 10);
    await fill(page, mouse, { 研修の日: today, 理由: "資格係" });
    await press(page, mouse, "申請する", "利用者の登録内容");
    // Nobody outside the departments is even offered it.
    await openUser(page, "委託 つよし");
    assert.equal(await page.getByRole("link", { name: "特定個人情報取扱者の指定を申請する" }).count(), 0);
  }));

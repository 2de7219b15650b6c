// Idle lock, and one live session for one account.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startBoth } from "../lib/both.js";
import { enter, open, scene, search } from "../lib/browser.js";

const { demo, browser } = await startBoth();

test("fifteen minutes without input empty the page and lock the session in every tab", { timeout: 60_000 }, () =>
  scene(browser, demo, {}, async (page, context) => {
    await enter(page, "clerk");
    await search(page, { kana: "やまだ" });
    const other = await context.newPage();
    await other.goto("/");
    await page.clock.install();
    await page.reload();
    assert.equal(await page.locator("body").getAttribute("data-idle"), "900");

    // An answer without content keeps the page that asked: so one sees what stands on it meanwhile.
    await page.route("**/lock", (route) => (route.request().method() === "POST" ? route.fulfill({ status: 204 }) : route.continue()));
    await page.clock.fastForward(890_000);
    assert.ok((await page.locator("main").innerText()).includes("ヤマダ"), "not before its time");
    const asked = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/lock"));
    await page.clock.fastForward(11_000);
    await asked;
    assert.equal(await page.locator("main > *").count(), 0, "nothing is left to read");
    assert.equal(await page.title(), "見守り Mimamori");
    await other.waitForURL("**/lock");
    await page.unroute("**/lock");
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "画面のロック" }).waitFor();
    assert.ok(page.url().endsWith("/lock"));
    assert.equal(await page.locator("body").getAttribute("data-idle"), null);
    await other.goto("/residents/search");
    assert.ok(other.url().endsWith("/lock"), "a locked session opens nothing else");
    await other.getByLabel("パスワード").fill("ちがう合い言葉");
    await other.getByRole("button", { name: "ロックを解く" }).click();
    await other.getByText("パスワードが正しくありません。").first().waitFor();
    // Back shows no record either.
    await page.goBack();
    assert.ok(!(await page.locator("body").innerText()).includes("ヤマダ"), "the back button shows no record");
  }));

test("input puts the lock off", { timeout: 60_000 }, () =>
  scene(browser, demo, {}, async (page) => {
    await page.clock.install();
    await enter(page, "lead");
    await page.clock.fastForward(800_000);
    await page.keyboard.press("Shift");
    await page.clock.fastForward(800_000);
    await page.getByRole("heading", { level: 1, name: "ホーム" }).waitFor();
    await page.clock.fastForward(101_000);
    await page.waitForURL("**/lock");
  }));

test("the same account on a second device ends the first, which is told so", async () => {
  const first = await open(browser, demo);
  const second = await open(browser, demo);
  try {
    await enter(first.page, "clerk");
    await search(first.page, { kana: "やまだ" });
    await enter(second.page, "clerk");
    assert.match(await second.page.locator("main .banner").innerText(), /別の端末での利用を終わらせました/);
    await first.page.reload();
    assert.ok(first.page.url().endsWith("/sign-in?ended=other"), first.page.url());
    assert.match(await first.page.locator("main .banner").innerText(), /別の端末からサインインがあった/);
    await second.page.goto("/residents/search");
    await second.page.getByRole("heading", { level: 1, name: "住民の検索" }).waitFor();
    assert.deepEqual([...first.wrong, ...second.wrong], []);
  } finally {
    await first.context.close();
    await second.context.close();
  }
});

test("after signing out the back button shows nothing", () =>
  scene(browser, demo, {}, async (page) => {
    await enter(page, "care");
    await search(page, { kana: "やまだ" });
    await page.getByRole("button", { name: "サインアウト" }).click();
    await page.getByRole("heading", { level: 1, name: "役割を選んで試す" }).waitFor();
    await page.goBack();
    assert.ok(!(await page.locator("body").innerText()).includes("ヤマダ"));
  }));

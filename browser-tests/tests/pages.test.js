// Every page: no violation that axe-core knows of, no sideways scrolling on a small screen; and the pictures of the tour.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { enter, findWithBadge, launch, open, search } from "../lib/browser.js";
import { startDemo } from "../lib/demo.js";
import { named, sound } from "../lib/look.js";
import { small } from "../lib/picture.js";

const TOUR = new URL("../../docs/tour/", import.meta.url);
const BLESS = process.env.MIMAMORI_BLESS === "1";
const LARGEST = 150_000;

let demo, browser, member;
before(async () => {
  demo = await startDemo();
  browser = await launch();
  const { context, page } = await open(browser, demo);
  await enter(page, "clerk");
  member = await findWithBadge(page, "世帯員", ["支援措置"]);
  await context.close();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** Sends the form as it is (or filled), and waits for the answer that shows errors. */
async function wrongly(page, path, button, fields = {}) {
  await page.goto(path);
  for (const [name, value] of Object.entries(fields)) await page.locator(`#${name}`).fill(value);
  await page.getByRole("button", { name: button }).click();
  await page.locator(".error-summary").waitFor();
}

async function firstRecord(page) {
  await search(page, { kana: "やまだ" });
  await page.locator("tbody th a").first().click();
  await page.getByRole("heading", { level: 1, name: "住民の記録" }).waitFor();
}

/** A draft of the dirty sample that the demo lays into its inbox. */
async function prepared(page) {
  const box = page.locator("#folder");
  for (let turn = 0; turn < 60; turn += 1) {
    await page.goto("/residents/imports");
    if (await box.count()) break;
    await page.waitForTimeout(500);
  }
  await page.getByRole("button", { name: "選んで準備する" }).click();
  await page.getByRole("heading", { level: 1, name: "取込みの準備" }).waitFor();
}

// Name, role (or none), how to get there, picture of the tour.
const PAGES = [
  ["chooser", "", (page) => page.goto("/demo"), "01-demo"],
  ["home", "clerk", (page) => page.goto("/"), "02-home"],
  ["home after another session ended", "clerk", (page) => page.goto("/?other=1")],
  ["search", "clerk", async (page) => {
    await page.goto("/residents/search");
    await page.locator("#channel").selectOption({ label: "窓口" });
    await page.locator("#kana").fill("やまだ");
  }, "03-search"],
  ["search with errors", "clerk", (page) => wrongly(page, "/residents/search", "検索する", { birth: "S640108", phone: "1" })],
  ["results", "clerk", (page) => search(page, { kana: "やまだ" }), "04-results"],
  ["results over several pages", "clerk", (page) => search(page, { kana: "や" })],
  ["results: nobody", "clerk", (page) => search(page, { kanji: "無無無" })],
  ["results: too many", "clerk", (page) => search(page, { address: "見守市" })],
  ["record", "clerk", firstRecord, "05-record"],
  ["record of a household member", "clerk", (page) => page.goto(member.path).then(async () => {
    await page.locator("#channel").selectOption({ label: "電話" });
    await page.getByRole("button", { name: "理由を記録して開く" }).click();
    await page.getByRole("heading", { level: 1, name: "住民の記録" }).waitFor();
  })],
  ["record of a protected person", "clerk", async (page) => page.goto((await findWithBadge(page, "支援措置", ["世帯員", "支援措置（同居）"])).href)],
  ["refusal", "care", (page) => page.goto(member.path), "06-refusal"],
  ["refusal at the search", "system", (page) => page.goto("/residents/search")],
  ["own looks", "citizen", async (page) => {
    const { context, page: desk } = await open(browser, demo);
    await enter(desk, "clerk");
    await search(desk, { kana: "あ" });
    const rows = desk.locator("tbody tr").filter({ hasNot: desk.locator(".badge", { hasText: /世帯員|支援措置/ }) });
    for (const href of await rows.locator("th a").evaluateAll((all) => all.slice(0, 6).map((a) => a.getAttribute("href")))) await desk.goto(href);
    await context.close();
    await page.goto("/me");
  }, "07-citizen"],
  ["guide", "clerk", (page) => page.goto("/guide"), "08-guide"],
  ["guide without a session", "", (page) => page.goto("/guide")],
  ["own sheet", "citizen", (page) => page.goto("/me/sheet")],
  ["note", "clerk", (page) => page.goto(`${member.path}/note`)],
  ["note with errors", "clerk", (page) => wrongly(page, `${member.path}/note`, "受付票を書いて記録を開く")],
  ["trace search", "auditor", (page) => page.goto("/audit")],
  ["trace search with errors", "auditor", (page) => wrongly(page, "/audit", "検索する", { from: "昨日", line: "x" })],
  ["lines of the trace", "auditor", async (page) => {
    await page.goto("/audit");
    await page.locator("#officer").fill("clerk-1");
    await page.getByRole("button", { name: "検索する" }).click();
    await page.getByRole("heading", { level: 1, name: "証跡の検索結果" }).waitFor();
  }],
  ["alerts", "auditor", async (page) => {
    await page.goto("/audit/alerts");
    await page.getByRole("button", { name: "いま点検する" }).click();
    await page.locator(".banner[role=status]").waitFor();
  }],
  ["one alert", "auditor", async (page) => {
    const { context, page: desk } = await open(browser, demo);
    await enter(desk, "clerk");
    await desk.goto((await findWithBadge(desk, "支援措置", ["世帯員", "支援措置（同居）"])).href);
    await context.close();
    await page.goto("/audit/alerts");
    await page.getByRole("button", { name: "いま点検する" }).click();
    await page.getByRole("link", { name: "支援措置の対象者の閲覧" }).first().click();
    await page.getByRole("button", { name: "回答する" }).click();
    await page.locator(".error-summary").waitFor();
  }],
  ["report", "auditor", async (page) => {
    await page.goto("/audit/reports");
    await page.locator("#month").fill(await page.evaluate(() => new Date(Date.now() + 9 * 3600e3).toISOString().slice(0, 7)));
    await page.getByRole("button", { name: "報告を作り、署名する" }).click();
    await page.getByRole("link", { name: "署名つきの報告を保存する" }).waitFor();
  }],
  ["reports", "operations", (page) => page.goto("/audit/reports")],
  ["reason", "lead", (page) => page.goto(member.path), "09-reason"],
  ["reason with errors", "lead", (page) => wrongly(page, member.path, "理由を記録して開く")],
  ["sign-in", "", (page) => page.goto("/sign-in"), "10-sign-in"],
  ["sign-in after the end", "", (page) => page.goto("/sign-in?ended=other")],
  ["sign-in refused", "", (page) => wrongly(page, "/sign-in", "サインイン", { login: "nobody-1", password: "ちがう合い言葉" })],
  ["password", "clerk", (page) => page.goto("/password")],
  ["password refused", "clerk", (page) => wrongly(page, "/password", "変更する", { old: "ちがう合い言葉" })],
  ["second administrator", "operations", (page) => page.goto("/administrators/second")],
  ["lock", "clerk", async (page) => {
    await page.evaluate(() => {
      const form = document.querySelector("form[data-sign-out]");
      form.action = "/lock";
      form.submit();
    });
    await page.waitForURL("**/lock");
    await page.getByRole("heading", { level: 1, name: "画面のロック" }).waitFor();
  }, "11-lock"],
  ["import: files", "lead", (page) => page.goto("/residents/imports"), "13-import-files"],
  ["import: columns", "lead", prepared, "14-import-columns"],
  ["import: count that is none", "lead", async (page) => {
    await prepared(page);
    await page.locator("#rows-residents").fill("百");
    await page.getByRole("button", { name: "選んだ内容を反映する" }).click();
    await page.locator(".error-summary").waitFor();
  }],
  ["import: preview", "lead", async (page) => {
    await prepared(page);
    await page.getByRole("button", { name: "先頭の行を下見する" }).click();
    await page.getByRole("heading", { level: 1, name: "取込みの下見" }).waitFor();
  }],
  ["import: errors", "lead", async (page) => {
    await prepared(page);
    await page.getByRole("button", { name: "取込みを始める" }).click();
    await page.getByRole("heading", { level: 2, name: "誤りと注意の一覧" }).waitFor({ timeout: 60_000 });
  }, "15-import-errors"],
  ["import: refused", "clerk", (page) => page.goto("/residents/imports")],
  ["not found", "clerk", (page) => page.goto("/residents/0123456789abcdef0123456789abcdef"), "12-not-found"],
];

for (const [name, who, go, picture] of PAGES) {
  test(`page: ${name}`, async () => {
    // axe is put into the page, which the policy of our pages forbids; the pages themselves are shown as they are.
    const { context, page, wrong } = await open(browser, demo, { bypassCSP: true });
    try {
      if (who) await enter(page, who);
      await go(page);
      // What a story waits for may stand before the end of a page that is still being read.
      await page.waitForLoadState();
      if (picture) {
        const png = small(await page.screenshot({ animations: "disabled", caret: "hide" }));
        await named(page, picture);
        assert.ok(png.length < LARGEST, `${picture} has ${png.length} bytes`);
        if (BLESS) {
          mkdirSync(TOUR, { recursive: true });
          writeFileSync(new URL(`${picture}.png`, TOUR), png);
        }
      }
      const gap = await page.evaluate(() => document.documentElement.clientHeight - document.querySelector("footer").getBoundingClientRect().bottom - window.scrollY);
      assert.ok(gap < 1, `the footer stands ${gap} above the bottom`);
      await sound(page);
      assert.deepEqual(wrong, []);
    } finally {
      await context.close();
    }
  });
}

test("a page that a browser prints names office, officer and day across it, and the screen does not show it", async () => {
  const { context, page } = await open(browser, demo);
  await enter(page, "clerk");
  const mark = page.locator(".print-mark");
  assert.equal(await mark.isVisible(), false);
  await page.emulateMedia({ media: "print" });
  assert.ok(await mark.isVisible());
  assert.match(await mark.innerText(), /^画面の印刷　介護保険課　介護 はな　令和\d+年\d+月\d+日$/);
  await context.close();
});

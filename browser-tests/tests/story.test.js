// What each role of the demo can and cannot do, in a real browser.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startBoth } from "../lib/both.js";
import { enter, findWithBadge, scene, search, term } from "../lib/browser.js";
import { verify } from "../lib/demo.js";
import { clerkStory, keyboard, mouse } from "../lib/story.js";

const { demo, browser } = await startBoth();

const CHECKPOINT = 2500;

async function refused(page, answer) {
  assert.equal(answer.status(), 403);
  await page.getByRole("heading", { level: 1, name: "この操作はできません" }).waitFor();
  const reason = await page.locator("main .banner-warning").innerText();
  assert.ok(reason.length > 10, "the reason is said");
  assert.match(await term(page, "根拠").innerText(), /（(S\d+-\d+|TK-\d+)）/, "the clause is said");
  assert.match(await term(page, "規則").innerText(), /^[A-Z]\d+|default/, "the rule is said");
  return reason;
}

test("a clerk searches, opens a record and sees the line in the trace", () =>
  scene(browser, demo, {}, (page) => clerkStory(page, mouse)));

test("the clerk's story by keyboard alone", () =>
  scene(browser, demo, {}, (page) => clerkStory(page, keyboard)));

test("the clerk's story without JavaScript", () =>
  scene(browser, demo, { javaScriptEnabled: false }, (page) => clerkStory(page, mouse)));

test("the clerk's story by keyboard and without JavaScript", () =>
  scene(browser, demo, { javaScriptEnabled: false }, async (page) => {
    // Without scripts there is still a skip link first, and it leads to the text.
    await page.goto("/demo");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.ok(page.url().endsWith("#main"));
    await clerkStory(page, mouse);
  }));

test("a care clerk may open an insured person but not a member of the household", async () => {
  const member = await scene(browser, demo, {}, async (page) => {
    await enter(page, "clerk");
    const found = await findWithBadge(page, "世帯員", ["支援措置"]);
    await page.goto(found.href);
    await page.getByRole("heading", { level: 1, name: "住民の記録" }).waitFor();
    return found;
  });
  await scene(browser, demo, {}, async (page) => {
    await enter(page, "care");
    await search(page, { kana: member.kana });
    assert.equal(await page.locator("tbody .badge", { hasText: "世帯員" }).count(), 0, "no member in the list");
    await page.locator("tbody th a").first().click();
    await page.getByRole("heading", { level: 1, name: "住民の記録" }).waitFor();
    const reason = await refused(page, await page.goto(member.path));
    assert.match(reason, /世帯員の記録は開けません/);
    assert.match(await term(page, "根拠").innerText(), /S0-05/);
  });
});

for (const [who, words] of [
  ["system", /システム管理者は個人の記録の中身を見られません/],
  ["auditor", /個人の記録そのものは見られません/],
  ["operations", /個人の記録の中身を見る業務がありません/],
]) {
  test(`${who} is refused at the search`, () =>
    scene(browser, demo, {}, async (page) => {
      await enter(page, who);
      assert.match(await refused(page, await page.goto("/residents/search")), words);
    }));
}

for (const who of ["contractor", "citizen"]) {
  test(`${who} finds no search at all`, () =>
    scene(browser, demo, {}, async (page) => {
      await enter(page, who);
      assert.equal(await page.locator("a[href='/residents/search']").count(), 0);
      const nowhere = await page.goto("/nowhere");
      const model = await nowhere.text();
      const answer = await page.goto("/residents/search");
      assert.equal(answer.status(), 404);
      assert.equal(await answer.text(), model, "like anything that is not there");
    }));
}

test("a person under protection: the clerk sees the warning, the lead officer the address", async () => {
  const found = await scene(browser, demo, {}, async (page) => {
    await enter(page, "clerk");
    const found = await findWithBadge(page, "支援措置", ["世帯員", "支援措置（同居）"]);
    assert.match(await found.row.innerText(), /（非表示）/, "no address in the list");
    await page.goto(found.href);
    const banner = page.locator(".head-banner .banner-danger");
    assert.match(await banner.innerText(), /支援措置の対象者です/);
    for (const name of ["住所", "方書", "電話番号", "郵便番号", "世帯番号"]) {
      assert.equal(await term(page, name).innerText(), "（非表示）", name);
    }
    assert.doesNotMatch(await page.content(), /見守市[^<]*(丁目|番)/, "the address is nowhere on the page");
    assert.match(await page.locator("main").innerText(), /担当責任者と本人だけが見られます/);
    return found;
  });
  await scene(browser, demo, {}, async (page) => {
    await enter(page, "lead");
    await search(page, { kana: found.kana });
    await page.goto(found.path);
    await page.getByRole("heading", { level: 1, name: "閲覧の理由" }).waitFor();
    await page.getByLabel("受付の種類").selectOption({ label: "窓口" });
    await page.getByRole("button", { name: "理由を記録して開く" }).click();
    await page.getByRole("heading", { level: 1, name: "住民の記録" }).waitFor();
    assert.match(await page.locator(".head-banner .banner-danger").innerText(), /支援措置の対象者です/);
    assert.match(await term(page, "住所").innerText(), /市|区|町|村/);
    assert.notEqual(await term(page, "電話番号").innerText(), "（非表示）");
  });
});

test("a refusal does not tell whether the person is under protection", async () => {
  const { path } = await scene(browser, demo, {}, async (page) => {
    await enter(page, "clerk");
    return findWithBadge(page, "支援措置", ["世帯員", "支援措置（同居）"]);
  });
  for (const who of ["system", "auditor", "operations", "contractor", "citizen"]) {
    await scene(browser, demo, {}, async (page) => {
      await enter(page, who);
      await page.goto(path);
      assert.doesNotMatch(await page.locator("body").innerText(), /支援措置|F08/, who);
    });
  }
});

test("a refusal says each reason once", () =>
  scene(browser, demo, {}, async (page) => {
    await enter(page, "clerk");
    await search(page, { kana: "やまだ" });
    const path = (await page.locator("tbody th a").first().getAttribute("href")).split("?")[0];
    await enter(page, "system");
    const reason = await refused(page, await page.goto(path));
    const sentences = reason.split("。").map((s) => s.trim()).filter(Boolean);
    assert.equal(new Set(sentences).size, sentences.length, reason);
  }));

test("a citizen sees who looked, and the statement and the trace hold without the server", async () => {
  // The citizen of the demo is the first insured person in the order of the kana names.
  await scene(browser, demo, {}, async (page) => {
    await enter(page, "clerk");
    await search(page, { kana: "あ" });
    const rows = page.locator("tbody tr").filter({ hasNot: page.locator(".badge", { hasText: /世帯員|支援措置/ }) });
    const addresses = await rows.locator("th a").evaluateAll((links) => links.slice(0, 6).map((a) => a.getAttribute("href")));
    assert.ok(addresses.length > 0);
    for (const href of addresses) await page.goto(href);
  });
  await scene(browser, demo, {}, async (page) => {
    await enter(page, "citizen");
    await page.locator("main").getByRole("link", { name: "自分の記録を見た人" }).click();
    const looks = page.locator("tbody tr");
    assert.ok((await looks.count()) >= 2, "the list and the record");
    const all = await looks.allInnerTexts();
    assert.ok(all.some((text) => text.includes("介護保険課 職員")), "the role is named");
    assert.ok(!(await page.content()).includes("介護 はな"), "the clerk's name is not");
    await sleep(CHECKPOINT);
    const coming = page.waitForEvent("download");
    await page.getByRole("link", { name: "証明ファイルを保存する" }).click();
    const file = join(demo.folder, "statement.json");
    await (await coming).saveAs(file);
    const statement = verify("statement", file);
    assert.equal(statement.status, 0, statement.text);
    assert.match(statement.text, /(\d+) 件中 \1 件/);
  });
  await sleep(CHECKPOINT);
  const trace = verify("trace", demo.trace);
  assert.equal(trace.status, 0, trace.text);
});

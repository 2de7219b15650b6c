// 個人番号: a designated handler registers, shows, finds, loads and deletes; everybody else is refused (S0-11 to S0-15, S0-46, S0-59).

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { startBoth } from "../lib/both.js";
import { enter, scene, search, term } from "../lib/browser.js";
import { afresh, fill, heading, keyboard, menu, mouse, press, text } from "../lib/hands.js";
import { look, sound } from "../lib/look.js";

const axe = createRequire(import.meta.url)("axe-core");
const { demo, browser } = await startBoth();

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const SEEN = { bypassCSP: true };
const nothing = async () => {};
const WHY = { 利用の目的: "介護保険に関する事務", "事件（受付番号など）": "受付 第12号", 理由: "資格の届出の確認" };
const HOW = { 取得日: "R081101", "取得方法（想定）": "本人または代理人からの申請書", "本人確認の方法（想定）": "個人番号カード" };
const ADDRESSES = ["", "/find", "/load", "/check", "/links"].map((end) => `/insurance/numbers${end}`);

/** A sound number that belongs to nobody: eleven digits and their check digit. */
function number(eleven) {
  const sum = [...eleven].reverse().reduce((all, digit, at) => all + Number(digit) * (at < 6 ? at + 2 : at - 4), 0);
  return `${eleven}${sum % 11 <= 1 ? 0 : 11 - (sum % 11)}`;
}
const SAMPLES = [number("12345678901"), number("22345678901")];
const parts = (sample) => sample.match(/\d{4}/g);
/** In full width, as an input method writes. */
const wide = (text) => text.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0));
const PARTS = new RegExp(SAMPLES.map((sample) => parts(sample).join("[ +　-]?")).join("|"));

/** The frame of the room. */
const room = (page) => page.frameLocator("iframe.room-frame");

/** What every page of the room owes, inside its frame, also on a narrow screen. */
async function soundFrame(page) {
  const frame = page.frames().find((one) => one.parentFrame());
  await frame.locator("h1").waitFor();
  await frame.evaluate(axe.source);
  // That a number goes away by itself is asked for (S0-13) and cannot be switched off: the one rule that is not judged.
  const found = await frame.evaluate((values) => globalThis.axe.run(document, { runOnly: { type: "tag", values }, rules: { "meta-refresh": { enabled: false } } }), TAGS);
  assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`), [], frame.url());
  assert.equal(await frame.locator("script").count(), 0, "no script in the frame");
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 800 });
  const [wide, inner] = await frame.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= inner, `${frame.url()} is ${wide} wide in a frame of ${inner}`);
  await page.setViewportSize(before);
}

/** Hears everything that goes between the browser and the office's pages; `quiet` demands that no number was in it. */
function hear(context) {
  const heard = [];
  const bodies = [];
  context.on("request", (request) => {
    heard.push(request.url());
    if (request.url().startsWith(demo.url)) heard.push(request.postData() ?? "");
  });
  context.on("response", (response) => {
    if (response.url().startsWith(demo.url)) bodies.push(response.text().then((body) => heard.push(body), () => {}));
  });
  return async (page) => {
    await Promise.all(bodies);
    assert.ok(heard.length > 5, "something was heard");
    assert.ok(!heard.some((one) => PARTS.test(decodeURIComponent(one.replace(/%(?![0-9A-Fa-f]{2})/g, "%25")))), "no number between the browser and the office's pages, and none in an address");
    assert.ok(!PARTS.test(await page.content()), "no number in the outer page");
  };
}

/** Stands before the simulated face terminal and comes to `to`. */
async function verified(page, to, title, see = nothing) {
  await page.goto(`/verify?to=${to}`);
  await see(page, "number-verify");
  await press(page, mouse, "模擬の顔認証の端末へ（デモ）", "顔認証の端末（模擬）");
  assert.match(await text(page), /模擬/);
  await see(page);
  await press(page, mouse, "カメラの前に立つ（模擬）", title);
}

/** Opens the n-th insured person of a search, without anything special; 宛名番号 and the address of the management page. */
async function resident(page, n) {
  await search(page, { kana: "やまだ" });
  const rows = page.locator("tbody tr").filter({ hasNot: page.locator(".badge") });
  await rows.nth(n).locator("th a").click();
  await heading(page, "住民の記録");
  const address = (await term(page, "宛名番号").innerText()).trim();
  const link = page.getByRole("link", { name: "個人番号の管理（特定個人情報取扱者）" });
  const path = await link.getAttribute("href");
  return { address, path, link };
}

async function type(page, values, button) {
  for (const [id, value] of Object.entries(values)) await room(page).locator(`#${id}`).fill(value);
  await room(page).getByRole("button", { name: button }).click();
}

/** What the frame says when its heading is this. */
async function said(page, title) {
  await room(page).getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
  return room(page).locator("main").innerText();
}

for (const [how, options, see, seeFrame, n] of [
  ["with JavaScript", SEEN, look, soundFrame, 0],
  ["without JavaScript and with the policy of the pages", { javaScriptEnabled: false }, nothing, nothing, 1],
]) {
  test(`a handler registers a number, sees it for its time, finds the person and deletes it: ${how}`, () =>
    scene(browser, demo, options, async (page, context) => {
      const sample = SAMPLES[n];
      const [a, b, c] = parts(sample);
      const quiet = hear(context);
      await enter(page, "handler");
      // The chooser proves nothing: the screen says what is missing, and where.
      const before = await page.goto("/insurance/numbers");
      assert.equal(before.status(), 403);
      assert.match(await text(page), /足りないものは「本人確認」の画面で確かめてください/);
      await see(page);
      await verified(page, "/insurance/numbers", "個人番号", see);
      await see(page, "number-home");

      const { link, path } = await resident(page, n);
      await mouse.press(page, link);
      await heading(page, "個人番号の管理");
      assert.equal(await term(page, "個人番号").innerText(), "登録なし");
      await see(page);
      await press(page, mouse, "番号を登録する", "個人番号の登録");
      await press(page, mouse, "番号の入力に進む（登録）", "個人番号の登録");
      assert.match(await text(page), /利用の目的を選んでください/);
      await see(page);
      // A number is not taken where it would leave the room.
      await fill(page, mouse, { ...HOW, ...WHY, 理由: "番号は 000000000000 です" });
      await press(page, mouse, "番号の入力に進む（登録）", "個人番号の登録");
      assert.match(await text(page), /個人番号のような12桁の数字は書けません/);
      await afresh(page);
      await fill(page, mouse, { ...HOW, ...WHY });
      await see(page, "number-register");
      await press(page, mouse, "番号の入力に進む（登録）", "個人番号の登録");
      await room(page).getByRole("heading", { level: 1, name: "個人番号の入力" }).waitFor();
      await seeFrame(page);
      await see(page, "number-entry");
      const wrong = `${sample.slice(0, 11)}${(Number(sample[11]) + 1) % 10}`;
      for (const [first, second, told] of [[sample, wrong, /2回の入力が違います/], [wrong, wrong, /検査数字が合いません/], ["000000000000", "000000000000", /すべて0です/]]) {
        await type(page, { number: first, again: second }, "登録する");
        await room(page).locator("#number-error").filter({ hasText: told }).waitFor();
        assert.equal(await room(page).locator("#number").inputValue(), "", "what was typed does not come back");
      }
      await seeFrame(page);
      await type(page, { number: sample, again: wide(`${a}　${b}　${c}`) }, "登録する");
      await said(page, "書き込みました");
      await seeFrame(page);
      await quiet(page);
      await press(page, mouse, "終わる", "個人番号の管理");
      assert.match(await term(page, "個人番号").innerText(), /登録あり（表示しません）/);
      await quiet(page);
      await see(page, "number-person");

      await press(page, mouse, "番号を表示する", "個人番号の管理");
      assert.match(await text(page), /利用の目的を選んでください/);
      await fill(page, mouse, WHY);
      await press(page, mouse, "番号を表示する", "個人番号の照会");
      const shown = room(page).locator("[data-number]");
      await shown.waitFor();
      const since = Date.now();
      assert.equal(await shown.innerText(), `${a} ${b} ${c}`);
      const source = await page.locator("iframe.room-frame").getAttribute("src");
      assert.notEqual(new URL(source).port, String(demo.port), "another port: another origin");
      await see(page, "number-shown");
      await seeFrame(page);
      await quiet(page);
      if (options === SEEN) {
        const reached = await page.evaluate(() => {
          try {
            return document.querySelector("iframe").contentDocument?.body?.innerText ?? "";
          } catch {
            return "";
          }
        });
        assert.equal(reached, "", "a script of the outer page does not reach into the frame");
      }
      // The ticket was for once: its address shows nothing any more, also to this session.
      const anew = await context.request.get(source);
      assert.ok(anew.status() >= 400 && !PARTS.test(await anew.text()));
      await room(page).getByRole("heading", { level: 1, name: "消しました" }).waitFor({ timeout: 40_000 });
      const seconds = (Date.now() - since) / 1000;
      assert.ok(seconds > 20 && seconds < 35, `cleared after ${seconds} s`);
      assert.equal(await shown.count(), 0);
      await seeFrame(page);

      await menu(page, mouse, "個人番号");
      await press(page, mouse, "個人番号で検索する", "個人番号で検索");
      await fill(page, mouse, WHY);
      await see(page, "number-find");
      await press(page, mouse, "番号の入力に進む", "個人番号で検索");
      await type(page, { number: sample }, "検索する");
      await said(page, "1人が見つかりました");
      await seeFrame(page);
      await see(page);
      await press(page, mouse, "結果を開く", "個人番号の検索結果");
      assert.equal(await page.locator("main tbody tr").count(), 1);
      assert.equal(await page.locator("main tbody th a").getAttribute("href"), path);
      await see(page, "number-found");
      await mouse.press(page, page.locator("main tbody th a"));
      await heading(page, "個人番号の管理");
      assert.ok(!(await text(page)).includes("照会の記録はありません"), "the look stands there");
      await press(page, mouse, "番号を削除する", "個人番号の削除");
      await fill(page, mouse, WHY);
      await see(page, "number-delete");
      await press(page, mouse, "番号を削除する", "個人番号の削除");
      assert.match(await text(page), /まだ何も消していません/);
      await see(page);
      await fill(page, mouse, WHY);
      await page.getByLabel("元に戻せないように消します").check();
      await press(page, mouse, "番号を削除する", "個人番号の管理");
      await page.getByText("登録なし").waitFor();
      assert.match(await page.locator("table").filter({ hasText: "異動の履歴" }).innerText(), /削除/);
      await see(page);
      await press(page, mouse, "番号を登録する", "個人番号の登録");
      await menu(page, mouse, "個人番号");
      await press(page, mouse, "個人番号で検索する", "個人番号で検索");
      await fill(page, mouse, WHY);
      await press(page, mouse, "番号の入力に進む", "個人番号で検索");
      await type(page, { number: sample }, "検索する");
      await said(page, "見つかりません");
      await quiet(page);
    }));
}

test("a number is registered and shown with keys alone, into the frame and out of it", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "handler");
    await verified(page, "/insurance/numbers", "個人番号");
    const { path } = await resident(page, 9);
    const sample = number("77345678901");
    await page.goto(path);
    await press(page, keyboard, "番号を登録する", "個人番号の登録");
    await fill(page, keyboard, { ...HOW, ...WHY });
    await press(page, keyboard, "番号の入力に進む（登録）", "個人番号の登録");
    await room(page).getByRole("heading", { level: 1, name: "個人番号の入力" }).waitFor();
    await keyboard.type(page, room(page).locator("#number"), sample);
    await keyboard.type(page, room(page).locator("#again"), sample);
    await keyboard.press(page, room(page).getByRole("button", { name: "登録する" }));
    await said(page, "書き込みました");
    await press(page, keyboard, "終わる", "個人番号の管理");
    await fill(page, keyboard, WHY);
    await press(page, keyboard, "番号を表示する", "個人番号の照会");
    const shown = room(page).locator("[data-number]");
    await shown.waitFor();
    assert.equal(await shown.innerText(), parts(sample).join(" "));
    await press(page, keyboard, "終わる", "個人番号の管理");
    await press(page, keyboard, "番号を削除する", "個人番号の削除");
    await fill(page, keyboard, WHY);
    await keyboard.tick(page, page.getByLabel("元に戻せないように消します"));
    await press(page, keyboard, "番号を削除する", "個人番号の管理");
    assert.equal(await term(page, "個人番号").innerText(), "登録なし");
  }));

test("a number is corrected, and not given to two persons", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "handler");
    await verified(page, "/insurance/numbers", "個人番号");
    const enterNumber = async (path, what, button, value) => {
      await page.goto(`${path}/${what}`);
      await fill(page, mouse, { ...HOW, ...WHY });
      await press(page, mouse, `番号の入力に進む（${button}）`);
      await type(page, { number: value, again: value }, `${button}する`);
    };
    const [one, other] = [(await resident(page, 3)).path, (await resident(page, 4)).path];
    const [first, second] = [number("98765432101"), number("98765432102")];
    await enterNumber(one, "register", "登録", first);
    await said(page, "書き込みました");
    await enterNumber(other, "register", "登録", first);
    assert.match(await said(page, "登録できません"), /別の人に登録されています/);
    await soundFrame(page);
    await enterNumber(one, "correct", "訂正", second);
    await said(page, "書き込みました");
    await press(page, mouse, "終わる", "個人番号の管理");
    const history = await page.locator("table").filter({ hasText: "異動の履歴" }).innerText();
    assert.match(history, /訂正/);
    assert.match(history, /登録/);
  }));

test("a file is loaded, with the list of what was refused; the scope is checked; no connector is set", () =>
  scene(browser, demo, SEEN, async (page, context) => {
    await enter(page, "handler");
    await verified(page, "/insurance/numbers", "個人番号");
    const people = [];
    for (let n = 5; n < 8; n += 1) people.push(await resident(page, n));
    const rows = people.map(({ address }, at) => `${address},${number(`5550000000${at}`)}`);
    const bad = rows[2].slice(0, -1) + ((Number(rows[2].at(-1)) + 1) % 10);
    const csv = ["宛名番号,個人番号", rows[0], rows[1], bad, `999999999999999,${number("55500000009")}`].join("\r\n");
    await page.goto("/insurance/numbers/load");
    await press(page, mouse, "ファイルの選択に進む", "個人番号の一括登録");
    assert.match(await text(page), /利用の目的を選んでください/);
    await look(page);
    await afresh(page);
    await fill(page, mouse, { ...HOW, ...WHY });
    await look(page, "number-load");
    await press(page, mouse, "ファイルの選択に進む", "個人番号の一括登録");
    await room(page).getByRole("heading", { level: 1, name: "一括登録のファイル" }).waitFor();
    await soundFrame(page);
    await look(page);
    const send = async (count) => {
      await room(page).locator("#rows").fill(count);
      await room(page).locator("#file").setInputFiles({ name: "numbers.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
      await room(page).getByRole("button", { name: "登録を始める" }).click();
    };
    await send("3");
    assert.match(await room(page).locator("#file-error").innerText(), /何も登録していません/);
    await soundFrame(page);
    await send("4");
    const result = await said(page, "一括登録の結果");
    assert.match(result, /4件のうち4件を確かめ、2件を登録しました。断った行は2件です/);
    const refused = await room(page).locator("tbody tr").allInnerTexts();
    assert.match(refused[0], /^4\s+個人番号/);
    assert.match(refused[1], /^5\s+宛名番号/);
    assert.ok(!rows.some((row) => result.includes(row.split(",")[1])), "the result shows no number");
    await soundFrame(page);
    await look(page, "number-loaded");
    const coming = page.waitForEvent("download");
    await room(page).getByRole("button", { name: "断った行をすべてCSVで保存" }).click();
    const download = await coming;
    const parts = [];
    for await (const part of await download.createReadStream()) parts.push(part);
    const list = Buffer.concat(parts).toString("utf8");
    assert.match(list, /^\uFEFF行,項目,理由\r?\n4,個人番号,/);
    assert.ok(!/\d{12}/.test(list), "no number in the list");
    await press(page, mouse, "終わる", "個人番号");

    await page.goto(people[0].path);
    assert.match(await term(page, "個人番号").innerText(), /登録あり/);
    await page.goto(people[2].path);
    assert.match(await term(page, "個人番号").innerText(), /登録なし/);

    await menu(page, mouse, "個人番号");
    await press(page, mouse, "対象でない人の番号がないか点検する", "個人番号の対象者の点検");
    assert.match(await text(page), /まだ点検していません/);
    await look(page);
    await press(page, mouse, "いま点検する", "個人番号の対象者の点検");
    await page.getByText("点検した日時").waitFor();
    assert.match(await term(page, "そのうち、被保険者でもその世帯員でもない人（対象外）").innerText(), /^0人$/);
    assert.match(await text(page), /いません。/);
    await look(page, "number-check");

    await press(page, mouse, "個人番号の画面に戻る", "個人番号");
    await press(page, mouse, "統合宛名との連携と相違を確かめる", "統合宛名との連携");
    assert.match(await text(page), /設定されていません/);
    await look(page);
    assert.equal(context.pages().length, 1);
  }));

/** Sends what a form would send, with the page's own token. */
async function forge(page, path, fields) {
  const answer = page.waitForResponse((response) => new URL(response.url()).pathname === path && response.request().method() === "POST");
  await page.evaluate(([action, values]) => {
    const form = document.querySelector("form[data-sign-out]");
    form.action = action;
    for (const [name, value] of Object.entries(values)) {
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name, value });
      form.append(input);
    }
    form.submit();
  }, [path, fields]);
  const response = await answer;
  await page.waitForURL(`**${path}`);
  return response.status();
}

test("clerk, contractor, system administrator and auditor are refused at every address", async () => {
  let path;
  await scene(browser, demo, SEEN, async (page) => {
    await enter(page, "handler");
    ({ path } = await resident(page, 8));
  });
  const given = { purpose: "care-insurance", case: "受付12", reason: "資格の確認", acquired: "R081101", method: "application", proof: "card" };
  for (const who of ["clerk", "contractor", "system", "auditor", "operations", "care"]) {
    const status = who === "contractor" ? 404 : 403;
    const title = who === "contractor" ? "見つかりません" : "この操作はできません";
    await scene(browser, demo, SEEN, async (page) => {
      await enter(page, who);
      assert.equal(await page.locator(".site-nav").getByRole("link", { name: "個人番号", exact: true }).count(), 0, `${who}: no link`);
      const places = [...ADDRESSES, path, `${path}/register`, `${path}/correct`];
      if (who !== "system") places.push("/insurance/numbers/keys");
      for (const place of places) {
        const answer = await page.goto(place);
        assert.equal(answer.status(), status, `${who}: ${place}`);
        await heading(page, title);
      }
      await look(page);
      for (const place of [`${path}/reveal`, `${path}/register`, `${path}/correct`, `${path}/delete`, `${path}/inquire`, "/insurance/numbers/find", "/insurance/numbers/load"]) {
        await page.goto("/");
        assert.equal(await forge(page, place, given), status, `${who}: POST ${place}`);
        assert.equal(await page.locator("iframe").count(), 0);
      }
    });
  }
});

test("the clerk's record has no way to the numbers, and the simulated face makes nobody a handler", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "clerk");
    await search(page, { kana: "やまだ" });
    await page.locator("tbody tr").filter({ hasNot: page.locator(".badge") }).first().locator("th a").click();
    await heading(page, "住民の記録");
    assert.equal(await page.getByRole("link", { name: "個人番号の管理（特定個人情報取扱者）" }).count(), 0);
    await page.goto("/verify?to=/insurance/numbers");
    assert.match(await term(page, "特定個人情報取扱者の指定").innerText(), /足りない/);
    await look(page);
    const face = page.getByRole("link", { name: "模擬の顔認証の端末へ（デモ）" });
    if (await face.count()) {
      await mouse.press(page, face);
      await press(page, mouse, "カメラの前に立つ（模擬）");
      await page.waitForLoadState();
    }
    assert.equal((await page.goto("/insurance/numbers")).status(), 403);
  }));

test("the system administrator orders new keys and sees no number", () =>
  scene(browser, demo, SEEN, async (page) => {
    await enter(page, "system");
    await menu(page, mouse, "個人番号の鍵");
    const version = Number(await term(page, "今の版").innerText());
    await look(page);
    await press(page, mouse, "新しい版の鍵に替える", "個人番号の鍵");
    for (let turn = 0; turn < 30 && !(await text(page)).includes("更新は終わっています"); turn += 1) {
      await page.waitForTimeout(500);
      await page.reload();
    }
    assert.equal(Number(await term(page, "今の版").innerText()), version + 1);
    assert.equal(await term(page, "古い版の件数").innerText(), "0件");
    await sound(page);
  }));

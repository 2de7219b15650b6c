// Odd, huge and forged input: a Japanese answer beside its field, the same answer for everything that is not there.

import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { startBoth } from "../lib/both.js";
import { enter, open, scene, search } from "../lib/browser.js";

const { demo, browser } = await startBoth();

const JAPANESE = /[\u3040-\u30ff\u4e00-\u9fff]{4,}/u;
const LONG = "あ".repeat(3000);

const ODD = {
  kana: [LONG, "'; DROP TABLE residents_person;--", "<script>alert(1)</script>", "山田", "%", "\u202eダマヤ", "😀"],
  kanji: [LONG],
  birth: [LONG, "S640108", "R990101", "2999-01-01", "19401332", "昭和99年", "0", "-1", "NaN"],
  address: [LONG, "市"],
  phone: [LONG, "090", "abcd", "0999' OR '1'='1", "٠١٢٣٤٥"],
  number: [LONG, "%%%%", "1".repeat(16), "../../etc"],
  note: ["x".repeat(201), LONG],
};

test("odd and huge input is refused beside its field", () =>
  scene(browser, demo, {}, async (page) => {
    await enter(page, "clerk");
    for (const [name, values] of Object.entries(ODD)) {
      for (const value of values) {
        await page.goto("/residents/search");
        await page.locator("#channel").selectOption({ label: "窓口" });
        if (name === "note") await page.locator("#kana").fill("やまだ");
        await page.locator(`#${name}`).fill(value);
        const [answer] = await Promise.all([
          page.waitForResponse((r) => r.request().method() === "POST"),
          page.getByRole("button", { name: "検索する" }).click(),
        ]);
        const about = `${name} = ${value.slice(0, 30)}`;
        assert.equal(answer.status(), 400, about);
        const beside = page.locator(`#${name}-error`);
        await beside.waitFor();
        assert.match(await beside.innerText(), JAPANESE, about);
        assert.equal(await page.locator(`#${name}`).getAttribute("aria-invalid"), "true", about);
        assert.equal(await page.locator(`.error-summary a[href="#${name}"]`).count(), 1, about);
        assert.equal(await page.locator(`#${name}`).inputValue(), value, `${about} is still there to correct`);
      }
    }
  }));

test("signs of a query language are letters like any other", () =>
  scene(browser, demo, {}, async (page) => {
    await enter(page, "clerk");
    for (const fields of [{ kanji: "%" }, { kanji: "_" }, { kanji: "'" }, { kanji: "<b>太郎</b>" }, { address: "%%" }, { address: "__" }, { kanji: "😀" }]) {
      await search(page, fields);
      assert.match(await page.locator("main").innerText(), /見つかりませんでした/, JSON.stringify(fields));
    }
  }));

test("a form with missing, forged or hidden parts is refused", () =>
  scene(browser, demo, {}, async (page, context) => {
    await enter(page, "clerk");
    await page.goto("/residents/search");
    const csrf = await page.locator("main input[name=csrf]").inputValue();
    const form = { csrf, channel: "counter", kana: "やまだ" };
    const send = (changed, headers = {}) =>
      context.request.post("/residents/search", { form: { ...form, ...changed }, headers: { origin: demo.url, ...headers }, maxRedirects: 0 });
    assert.equal((await send({})).status(), 303, "the honest form passes");
    for (const changed of [{ channel: "spy" }, { channel: "" }, { sex: "9" }, { kana: "" }, { kana: "ヤ\u0000マ" }, { kana: "\u0007" }]) {
      const answer = await send(changed);
      assert.equal(answer.status(), 400, JSON.stringify(changed));
      assert.match(await answer.text(), JAPANESE);
    }
    assert.equal((await send({ kana: "ア".repeat(30_000) })).status(), 413);
    for (const [why, answer] of [
      ["no token", await send({ csrf: "" })],
      ["another token", await send({ csrf: csrf.replace(/^./, (c) => (c === "A" ? "B" : "A")) })],
      ["another origin", await send({}, { origin: "https://example.com" })],
      ["another port", await send({}, { origin: demo.url.replace(/\d+$/, "1") })],
      ["no such origin", await send({}, { origin: "null" })],
    ]) {
      assert.equal(answer.status(), 403, why);
      assert.match(await answer.text(), /form\.token/, why);
    }
  }));

test("another session's token does not pass", async () => {
  const mine = await open(browser, demo);
  const other = await open(browser, demo);
  try {
    await enter(mine.page, "clerk");
    await enter(other.page, "lead");
    await other.page.goto("/residents/search");
    const csrf = await other.page.locator("main input[name=csrf]").inputValue();
    const answer = await mine.context.request.post("/residents/search", {
      form: { csrf, channel: "counter", kana: "やまだ" }, headers: { origin: demo.url }, maxRedirects: 0,
    });
    assert.equal(answer.status(), 403);
  } finally {
    await mine.context.close();
    await other.context.close();
  }
});

/** The path exactly as written; a browser or a client library would tidy it. */
function raw(path, cookie) {
  return new Promise((resolve, reject) => {
    http.get({ host: "localhost", port: demo.port, path, headers: { cookie } }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ status: answer.statusCode, body: Buffer.concat(parts), headers: answer.headers }));
    }).on("error", reject);
  });
}

test("what is not there and what is not yours look the same, to the byte", async () => {
  const mine = await open(browser, demo);
  const other = await open(browser, demo);
  try {
    await enter(mine.page, "clerk");
    await enter(other.page, "lead");
    await search(other.page, { kana: "やまだ" });
    const theirs = new URL(other.page.url()).pathname;
    assert.match(theirs, /^\/residents\/results\/[0-9a-f]{32}$/);
    const cookie = (await mine.context.cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
    const unknown = "0123456789abcdef0123456789abcdef";
    const answers = {};
    for (const path of [
      theirs, `/residents/results/${unknown}`, "/residents/results/x", `/residents/${unknown}`, `/residents/${unknown}?from=${unknown}`,
      "/residents/../../etc", "/residents/..%2f..%2fetc", "/residents/%00", "/residents/%2e%2e", "/residents/'", "/nothing", "/me",
      `/residents/${unknown.toUpperCase()}`, "/residents/%E3%81%82", "/.git/config", "//residents/search",
    ]) {
      answers[path] = await raw(path, cookie);
    }
    const model = answers["/nothing"];
    assert.match(model.body.toString(), /見つかりません/);
    for (const [path, answer] of Object.entries(answers)) {
      assert.equal(answer.status, 404, path);
      assert.ok(answer.body.equals(model.body), `the body of ${path} is that of any page that is not there`);
      assert.deepEqual(Object.keys(answer.headers).sort(), Object.keys(model.headers).sort(), path);
    }
  } finally {
    await mine.context.close();
    await other.context.close();
  }
});

test("broken addresses get a Japanese page of ours, never a bare text", () =>
  scene(browser, demo, {}, async (page, context) => {
    await enter(page, "clerk");
    const cookie = (await context.cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
    for (const [path, status] of [
      ["/residents/%FF", 400], ["/me?before=abc", 400], ["/?other=zz", 400], ["/residents/results/x?page=-1", 400],
      ["/residents/x?from=1&from=2", 400], ["/sign-in?ended=1&ended=2", 400],
      [`/residents/search?q=${"a".repeat(3000)}`, 414], [`/${"a".repeat(5000)}`, 414], ["/nothing", 404],
    ]) {
      const answer = await raw(path, cookie);
      assert.equal(answer.status, status, path.slice(0, 60));
      assert.match(answer.headers["content-type"], /^text\/html; charset=utf-8/, path.slice(0, 60));
      const body = answer.body.toString();
      assert.match(body, /lang="ja"/);
      assert.match(body, /<h1>[^<]*[\u3040-\u30ff\u4e00-\u9fff]/u);
      assert.match(answer.headers["content-security-policy"], /default-src 'none'/);
      assert.doesNotMatch(body, /Failed to|panicked|UTF-8|deserialize/, path.slice(0, 60));
    }
  }));

test("a page needs a session, and other methods are refused", async () => {
  for (const path of ["/", "/residents/search", "/me", "/me/statement", "/password", "/lock", "/administrators/second", "/nothing"]) {
    const answer = await raw(path, "");
    assert.equal(answer.status, 303, path);
    assert.equal(answer.headers.location, "/sign-in", path);
  }
  await scene(browser, demo, {}, async (page, context) => {
    await enter(page, "clerk");
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const answer = await context.request.fetch("/residents/search", { method, headers: { origin: demo.url } });
      assert.equal(answer.status(), 405, method);
    }
  });
});

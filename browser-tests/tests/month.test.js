// A clerk's month on the sample town with keys only; at the end the auditor counts in the trace what the clerk did.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startBoth } from "../lib/both.js";
import { LOGINS, scene } from "../lib/browser.js";
import { change, enterNew, event, findByKana, newcomer, writeNote } from "../lib/changes.js";
import { verify } from "../lib/demo.js";
import { Keyboard, control, drawn, file, fill, heading, menu, press, text, unlocked } from "../lib/hands.js";

// Large enough that several people reach 65 by the end of next month.
const { demo, browser } = await startBoth(6000);

const KANA = ["さとう", "すずき", "たかはし", "たなか", "いとう", "わたなべ", "やまもと", "なかむら", "こばやし", "かとう"];
const AGE = "65歳到達予定（翌月末まで）";
const HEEDED = /世帯員|支援措置/;
const nothing = async () => {};

/** Acts by the words that the trace has for them. */
class Tally {
  counts = {};
  add(...acts) {
    for (const act of acts) this.counts[act] = (this.counts[act] ?? 0) + 1;
  }
}

/** What the trace keeps of one clerk, counted by act: the auditor's file without its head and its last row. */
function counted(bytes) {
  const lines = new TextDecoder("utf-8").decode(bytes).trimEnd().split("\r\n").slice(1, -1);
  const out = {};
  for (const line of lines) {
    const act = line.slice(1, -1).split('","')[5];
    out[act] = (out[act] ?? 0) + 1;
  }
  return out;
}

test("twenty days at the desk with keys only, and the trace counts every look", { timeout: 600_000 }, async (t) => {
  const keys = new Keyboard();
  const done = new Tally();
  let touched = 0;
  const started = Date.now();

  await scene(browser, demo, {}, async (page, context) => {
    await context.exposeFunction("mimamoriTouched", () => { touched += 1; });
    await context.addInitScript(() => {
      for (const kind of ["mousedown", "mousemove", "pointerdown", "touchstart", "wheel"]) {
        document.addEventListener(kind, () => window.mimamoriTouched(), { capture: true, passive: true });
      }
    });

    const begin = async () => {
      await page.goto("/demo");
      await keys.press(page, page.locator(`form:has(input[value="${LOGINS.clerk}"]) button`));
      await heading(page, "ホーム");
      done.add("サインイン");
    };
    const end = async () => {
      await keys.press(page, page.getByRole("button", { name: "サインアウト" }));
      await heading(page, "役割を選んで試す");
      done.add("サインアウト");
    };
    const searched = async (kana) => {
      await findByKana(page, keys, kana);
      done.add("検索", "一覧に表示");
    };
    /** The record page: the record, and the list of the household, which may be empty. */
    const recorded = async () => {
      await heading(page, "住民の記録");
      done.add("記録を閲覧", "一覧に表示");
    };
    /** The n-th of the list; `plain` passes over members of a household and protected persons. */
    const opened = async (n = 0, plain = true) => {
      const rows = page.locator("tbody tr");
      const open = plain ? rows.filter({ hasNot: page.locator(".badge", { hasText: HEEDED }) }) : rows;
      await keys.press(page, open.nth(n).locator("th a"));
      await recorded();
    };
    /** Somebody of that name who lives here. */
    const resident = async (kana) => {
      for (let n = 0; ; n += 1) {
        await searched(kana);
        await opened(n);
        if ((await page.locator(".head-banner .banner").count()) === 0) return;
      }
    };
    const noted = async (matter, more) => {
      await writeNote(page, keys, nothing, matter, more);
      done.add("受付票を記入");
      await recorded();
    };
    /** A change is one look, when its form opens, and one change, whatever is typed between them. */
    const changed = async (act, work) => {
      await work();
      done.add("記録を閲覧", act);
      await recorded();
    };

    /** The morning of every day: somebody is looked for by kana, asks something, and a note is written. */
    const morning = async (day) => {
      await begin();
      await searched(KANA[day % KANA.length]);
      await opened(Math.floor(day / KANA.length));
      await noted(`窓口の相談 ${day + 1}日目`, { 受付の方法: day % 2 ? "電話" : "窓口" });
    };
    const queue = async () => {
      await menu(page, keys, "資格管理");
      await press(page, keys, AGE, AGE);
      done.add("資格の一覧に表示");
    };
    const qualification = async (n) => {
      await keys.press(page, page.locator("main tbody th a").nth(n));
      await heading(page, "閲覧の理由");
      await fill(page, keys, { 理由: "資格管理の定例の処理" });
      await press(page, keys, "理由を記録して開く", "被保険者の資格");
      done.add("資格を閲覧");
    };
    const card = async () => {
      await drawn(page);
      done.add("資格を閲覧", "証を画面で確認", "証を画面で確認");
    };
    const printed = async (why) => {
      await fill(page, keys, { 印刷の理由: why });
      assert.ok((await file(page, keys, "PDFを作る")).bytes.length > 1000);
      done.add("証を画面で確認", "証を印刷");
      // The page comes back with the issue on it.
      await card();
    };

    const days = {
      1: async () => {
        await enterNew(page, keys, nothing, newcomer("900000000000101"));
        done.add("新しい人を登録");
        await recorded();
        await noted("転入の届出");
      },
      3: async () => {
        await searched("しんまち");
        await opened(0, false);
        await changed("異動を入力", () => event(page, keys, nothing, { 異動の種類: "転居", 異動日: "R8.11.15", 届出日: "R8.11.16", 住所: "見守市中央2丁目2番2号" }));
      },
      4: async () => {
        await resident("まつもと");
        await noted("死亡の届出", { 申し出た人: "家族" });
        await changed("異動を入力", () => event(page, keys, nothing, { 異動の種類: "死亡", 異動日: "R8.11.18", 届出日: "R8.11.19" }));
      },
      6: async () => {
        await searched("しんまち");
        await opened(0, false);
        await changed("基本の情報を訂正", () => change(page, keys, nothing, "基本の情報を訂正する", "基本の情報の訂正", { "氏名（カナ）": "シンマチ イチロー", 理由: "届書の読み違い" }));
      },
      8: async () => {
        await queue();
        await qualification(0);
        await press(page, keys, "被保険者証", "被保険者証");
        await card();
        await printed("65歳到達による交付");
      },
      10: async () => {
        await queue();
        await qualification(0);
        await press(page, keys, "被保険者証", "被保険者証");
        await card();
        await fill(page, keys, { 再交付の理由: "紛失による再交付" });
        await press(page, keys, "再交付を指示する", "被保険者証");
        await page.getByText("交付の理由: 紛失による再交付").waitFor();
        done.add("証の状態を変更");
        await card();
        await printed("紛失の申出");
      },
      12: async () => {
        await queue();
        await qualification(0);
        await press(page, keys, "被保険者証", "被保険者証");
        await card();
        await fill(page, keys, { 交付の番号: "1", 回収の理由: "再交付による差替え" });
        await press(page, keys, "回収を記録する", "被保険者証");
        await page.locator("main tbody").getByText("再交付による差替え").waitFor();
        done.add("証の状態を変更");
        await card();
      },
      14: async () => {
        await menu(page, keys, "資格管理");
        await press(page, keys, "被保険者証の一括発行", "被保険者証の一括発行");
        done.add("証の発行一覧に表示", "証の発行一覧に表示");
        await press(page, keys, "発行対象を集める");
        await page.getByRole("button", { name: "引き抜く" }).first().waitFor();
        done.add("証の発行対象を集める", "証の発行一覧に表示", "証の発行一覧に表示");
        const before = await page.getByRole("button", { name: "引き抜く" }).count();
        await press(page, keys, "引き抜く");
        await page.getByRole("heading", { level: 2, name: `集めた人（${before - 1}人）` }).waitFor();
        done.add("証の状態を変更", "証の発行一覧に表示", "証の発行一覧に表示");
        await fill(page, keys, { 印刷の理由: "12月の定例の発行" });
        assert.ok((await file(page, keys, "PDFを作り、交付を記録する")).bytes.length > 1000);
        done.add("証の発行一覧に表示", "証を一括印刷", "証の発行一覧に表示", "証の発行一覧に表示");
      },
      16: async () => {
        await queue();
        await fill(page, keys, { 出力の理由: "発送の準備のため" });
        assert.match((await unlocked(page, keys, "CSVを出力する")).name, /\.zip$/);
        done.add("資格の一覧をファイルに出力");
      },
      18: async () => {
        // Not a clerk's work: told so, and the refusal is a line as well.
        await page.goto("/residents/imports");
        await heading(page, "この操作はできません");
        done.add("取込");
      },
    };

    for (let day = 0; day < 20; day += 1) {
      await morning(day);
      await days[day]?.();
      await end();
    }
  });
  const seconds = (Date.now() - started) / 1000;
  assert.equal(touched, 0, "no mouse, no finger, no wheel");

  await scene(browser, demo, {}, async (page) => {
    await page.goto("/demo");
    await keys.press(page, page.locator(`form:has(input[value="${LOGINS.auditor}"]) button`));
    await heading(page, "ホーム");
    await menu(page, keys, "証跡の検索");
    await keys.type(page, control(page, "職員のID"), LOGINS.clerk);
    await press(page, keys, "検索する", "証跡の検索結果");
    assert.match(await text(page), /介護 はな/);
    await fill(page, keys, { 出力する理由: "月次の点検のため" });
    const out = await unlocked(page, keys, "CSVで出力する");
    assert.deepEqual(counted(out.bytes), done.counts, "the trace has each act as often as it was done, and no other");
  });
  const held = verify("trace", demo.trace);
  assert.equal(held.status, 0, held.text);
  const acts = Object.values(done.counts).reduce((a, b) => a + b, 0);
  t.diagnostic(`a clerk's month: 20 days, ${acts} lines of the trace, ${keys.keys} keys, ${seconds.toFixed(1)} seconds`);
});

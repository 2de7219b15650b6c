// Two pairs of hands for the same story: one with a mouse, one that knows nothing but keys.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Hands with a mouse. */
export const mouse = {
  press: (page, target) => target.click(),
  type: (page, target, text) => target.fill(text),
  pick: (page, target, label) => target.selectOption({ label }),
  tick: (page, target) => target.check(),
};

/** Hands that only know Tab, Enter, blank, arrows and letters; `keys` counts what was pressed. */
export class Keyboard {
  keys = 0;

  async key(page, name) {
    this.keys += 1;
    await page.keyboard.press(name);
  }

  /** Tab until `reached(element)` says so of the focused element; the focus must be visible there. */
  async tabTo(page, target) {
    for (let steps = 0; steps < 250; steps += 1) {
      await this.key(page, "Tab");
      const ring = await target.evaluate((element) => {
        const active = document.activeElement;
        const group = element.type === "radio" && active?.type === "radio" && active.name === element.name;
        if (active !== element && !group) return null;
        const style = getComputedStyle(active);
        return { style: style.outlineStyle, width: parseFloat(style.outlineWidth) };
      });
      if (!ring) continue;
      assert.ok(ring.style !== "none" && ring.width >= 2, `the focus is visible on ${target}`);
      return;
    }
    throw new Error(`Tab never reaches ${target}`);
  }

  press = async (page, target) => {
    await this.tabTo(page, target);
    await this.key(page, "Enter");
  };

  type = async (page, target, text) => {
    await this.tabTo(page, target);
    this.keys += [...text].length;
    if (text) await page.keyboard.insertText(text);
    else await this.key(page, "Delete");
  };

  pick = async (page, target, label) => {
    await this.tabTo(page, target);
    const chosen = () => target.evaluate((select) => select.selectedOptions[0]?.label);
    if ((await chosen()) === label) return;
    await this.key(page, "Home");
    for (let steps = 0; steps < 80; steps += 1) {
      if ((await chosen()) === label) return;
      await this.key(page, "ArrowDown");
    }
    throw new Error(`the arrow key never reaches ${label}`);
  };

  tick = async (page, target) => {
    await this.tabTo(page, target);
    if (await target.isChecked()) return;
    if (await target.evaluate((box) => box.type !== "radio")) return this.key(page, "Space");
    await this.key(page, "Space");
    for (let steps = 0; steps < 12 && !(await target.isChecked()); steps += 1) await this.key(page, "ArrowDown");
    assert.ok(await target.isChecked(), `the arrow key never reaches ${target}`);
  };
}

export const keyboard = new Keyboard();

const exactly = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The control that a label names, with or without 必須／任意 behind it. */
export function control(page, label) {
  return page.locator("main").getByLabel(new RegExp(`^\\s*${exactly(label)}\\s*(必須|任意)?\\s*$`)).first();
}

/** Fills a form by its labels: words for a line, the words of the choice for a list box, true for a box or a radio. */
export async function fill(page, hands, values) {
  for (const [label, value] of Object.entries(values)) {
    const target = control(page, label);
    const kind = await target.evaluate((element) => (element.tagName === "SELECT" ? "pick" : ["checkbox", "radio"].includes(element.type) ? "tick" : "type"));
    await hands[kind](page, target, value);
  }
}

/** Presses the button or follows the link of this name inside the page's text, and waits for the page that comes. */
export async function press(page, hands, name, title) {
  const main = page.locator("main");
  const target = main.getByRole("button", { name, exact: true }).or(main.getByRole("link", { name, exact: true })).first();
  await hands.press(page, target);
  if (title) await heading(page, title);
}

/** Waits for the page with this heading. */
export function heading(page, name) {
  return page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
}

/** Follows a link of the menu. */
export async function menu(page, hands, name, title = name) {
  await hands.press(page, page.locator(".site-nav").getByRole("link", { name, exact: true }));
  await heading(page, title);
}

/** The page asked for again, without the errors of what was sent before. */
export const afresh = (page) => page.goto(page.url());

/** Presses a button that answers with a file; its name and bytes. */
export async function file(page, hands, name) {
  const coming = page.waitForEvent("download");
  await press(page, hands, name);
  const download = await coming;
  const parts = [];
  for await (const part of await download.createReadStream()) parts.push(part);
  return { name: download.suggestedFilename(), bytes: Buffer.concat(parts) };
}

/** Takes a file out with the button, then saves and opens it as a clerk does with 7-Zip; its name and bytes. `see` looks at the page of the password. */
export async function unlocked(page, hands, name, see = async () => {}) {
  await press(page, hands, name, "ファイルの保存");
  const password = await page.locator("main code").innerText();
  await see(page);
  const { name: archive, bytes } = await file(page, hands, "ファイルを保存する");
  const folder = mkdtempSync(join(tmpdir(), "mimamori-unlocked-"));
  try {
    const path = join(folder, archive);
    writeFileSync(path, bytes);
    const program = spawnSync("7zz", ["i"]).error ? "7z" : "7zz";
    const opened = spawnSync(program, ["x", "-so", `-p${password}`, path], { maxBuffer: 64 << 20 });
    if (opened.error) throw opened.error;
    if (opened.status !== 0) throw new Error(`7-Zip: ${opened.stderr}`);
    return { name: archive, bytes: opened.stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Waits until the picture on the page is drawn (asked from outside: without JavaScript the page has no events); its width. */
export async function drawn(page) {
  const picture = page.locator("main img");
  for (let turn = 0; turn < 150; turn += 1) {
    const width = await picture.evaluate((img) => (img.complete ? img.naturalWidth : 0));
    if (width > 0) return width;
    await page.waitForTimeout(100);
  }
  throw new Error("the picture is never drawn");
}

/** What `main` says. */
export const text = (page) => page.locator("main").innerText();

/** The number of the line that the page tells. */
export async function line(page) {
  const found = /証跡の行 (\d+) /.exec(await text(page));
  assert.ok(found, `the page tells its line: ${page.url()}`);
  return Number(found[1]);
}

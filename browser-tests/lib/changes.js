// 異動と訂正 as an officer makes them: the record opened with a note, the form, the confirmation, the entry.

import assert from "node:assert/strict";
import { fill, heading, menu, press } from "./hands.js";

/** Somebody who does not exist, as the form of 転入 asks for him; `number` is the 宛名番号. */
export function newcomer(number, name = "新町 一郎", kana = "シンマチ イチロウ", 性別 = "男") {
  return {
    異動の種類: "転入", 異動日: "R8.11.2", 届出日: "R8.11.9", 宛名番号: number, "氏名（漢字）": name, "氏名（カナ）": kana, 性別, 生年月日: "S350401",
    住民区分: "日本人住民", 郵便番号: "999-0001", 住所: "見守市中央1丁目1番1号", 電話番号: "0999-00-0001", 世帯番号: number.slice(-10), 続柄: "世帯主",
  };
}

/** Enters a newcomer from the menu; ends on the new record. */
export async function enterNew(page, hands, see, values) {
  await menu(page, hands, "転入などの入力", "転入・出生などの入力");
  await fill(page, hands, values);
  await see(page, "clerk-enter");
  await press(page, hands, "確認する", "転入・出生などの入力の確認");
  await see(page, "clerk-enter-confirm");
  await press(page, hands, "登録する", "住民の記録");
}

/** Finds people by kana with 受付の種類 窓口. */
export async function findByKana(page, hands, kana) {
  await menu(page, hands, "住民の検索");
  await fill(page, hands, { 受付の種類: "窓口", カナ氏名: kana });
  await press(page, hands, "検索する", "検索結果");
}

/** Writes a reception note from the record that is open. */
export async function writeNote(page, hands, see, matter, { 受付の方法 = "窓口", 申し出た人 = "本人" } = {}) {
  await press(page, hands, "受付票を書く", "受付票");
  await fill(page, hands, { 受付の方法, 申し出た人, 用件: matter });
  await see(page, "clerk-note");
  await press(page, hands, "受付票を書いて記録を開く", "住民の記録");
  await page.getByText(matter).first().waitFor();
}

/** From the record through a form and its confirmation back to the record. */
export async function change(page, hands, see, link, title, values, pictures = []) {
  await press(page, hands, link, title);
  await fill(page, hands, values);
  await see(page, pictures[0]);
  await press(page, hands, "確認する", `${title}の確認`);
  await see(page, pictures[1]);
  await press(page, hands, "登録する", "住民の記録");
}

/** An event of a person in the register. */
export const event = (page, hands, see, values, pictures) => change(page, hands, see, "異動を入力する", "異動の入力", values, pictures);

/** The newest row of 画面で入力した変更. */
export async function newest(page) {
  await heading(page, "住民の記録");
  const rows = page.locator("table").filter({ has: page.locator("caption", { hasText: "画面で入力した変更" }) }).locator("tbody tr");
  assert.ok((await rows.count()) > 0, "the change stands in the record");
  return rows.allInnerTexts().then((all) => all.join("\n"));
}

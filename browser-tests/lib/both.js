// The demo and the browser of one file of tests.

import { after } from "node:test";
import { launch } from "./browser.js";
import { startDemo } from "./demo.js";

/** A demo of its own with so many people, and a browser; both end after the last test of the file. Shape: { demo, browser }. */
export async function startBoth(people) {
  const demo = await startDemo(people);
  let browser;
  after(async () => {
    await browser?.close();
    await demo.stop();
  });
  browser = await launch();
  return { demo, browser };
}

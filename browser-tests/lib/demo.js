// One demo server of its own for each test file, on a free port and in a throw-away folder.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LOADED = "取り込みが終わりました";
const PATIENCE = 120_000;

function binary(name) {
  const dir = process.env.MIMAMORI_BIN_DIR;
  if (!dir) throw new Error("MIMAMORI_BIN_DIR is not set; start the tests with browser-tests/run");
  return join(dir, name);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** A demo with a town of so many people. */
export async function startDemo(people = 2000) {
  const folder = mkdtempSync(join(tmpdir(), "mimamori-browser-"));
  const data = join(folder, "demo");
  const port = await freePort();
  const child = spawn(binary("mimamori"), ["demo", "--people", String(people), "--data", data, "--port", String(port)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const over = new Promise((resolve) => child.once("close", resolve));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGINT");
      const hard = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await over;
      clearTimeout(hard);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`the demo ${why}; it said:\n${said}`));
      const timer = setTimeout(() => fail("did not load in time"), PATIENCE);
      const hear = (chunk) => {
        said += chunk;
        if (said.includes(LOADED)) {
          clearTimeout(timer);
          resolve();
        }
      };
      child.stdout.setEncoding("utf8").on("data", hear);
      child.stderr.setEncoding("utf8").on("data", hear);
      child.once("error", (error) => fail(`did not start (${error.message})`));
      child.once("exit", (code) => fail(`ended early (${code})`));
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://localhost:${port}`, port, folder, trace: join(data, "trace"), said: () => said, stop };
}

/** Runs mimamori-verify; its exit status and everything it said. */
export function verify(...args) {
  const done = spawnSync(binary("mimamori-verify"), args, { encoding: "utf8", timeout: 60_000 });
  return { status: done.status, text: `${done.stdout}${done.stderr}` };
}

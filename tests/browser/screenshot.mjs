// Makes the pictures of the console in docs/ from the demo's ward:
//
//   cargo build -p gandan-server && node tests/browser/screenshot.mjs
//
// Fonts are those of the machine; with Debian's fonts-noto-core it looks as in a ward's office. With
// pngquant and optipng the files are a third as large.

import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PASSWORD, openBrowser, openPage, program, ready, signIn } from "./office.mjs";

const docs = fileURLToPath(new URL("../../docs", import.meta.url));
const data = await mkdtemp(join(tmpdir(), "gandan-screenshot-"));
const listen = ["--data", data, "--quic", "127.0.0.1:0", "--http", "127.0.0.1:0"];
const run = (args, input) => execFileSync(program, args, { input, stdio: ["pipe", "ignore", "inherit"] });

run(["demo", "--once", "--json", ...listen]);
run(
  ["staff", "add", "--data", data, "--login", "dung", "--name", "Nguyễn Thị Dung", "--role", "triage"],
  `${PASSWORD}\n`,
);
const server = spawn(program, ["serve", ...listen], { stdio: ["ignore", "pipe", "inherit"] });
const office = { address: await ready(server), browser: await openBrowser() };
try {
  const page = await openPage(office);
  await signIn(page);
  await page.waitForURL("**/cases");
  await page.goto("/cases?order=urgency");
  await shoot(page, "console.png");
  // A case with photos and a history tells most.
  const rows = page.locator(".rows > li");
  const telling = rows.filter({ hasText: "ảnh" }).filter({ hasText: /Đang xử lý|Đã trả lời/ });
  const any = rows.filter({ hasText: "ảnh" });
  await ((await telling.count()) ? telling : any).first().getByRole("link").click();
  await page.waitForURL("**/cases/*");
  await page.locator("img").last().waitFor();
  await shoot(page, "console-case.png");
} finally {
  await office.browser.close();
  server.kill("SIGTERM");
  await rm(data, { recursive: true, force: true });
}

async function shoot(page, name) {
  const path = join(docs, name);
  await page.screenshot({ path });
  for (const [tool, ...args] of [
    ["pngquant", "--force", "--skip-if-larger", "--quality=80-98", "--output", path, path],
    ["optipng", "-quiet", "-o5", path],
  ]) {
    try {
      execFileSync(tool, args, { stdio: "ignore" });
    } catch {
      console.log(`${name} is left as it is: ${tool} is not here`);
    }
  }
}

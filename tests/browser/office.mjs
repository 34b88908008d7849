// A ward's office for a test: a real server process with a clerk and a chair, and a Chromium before it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

export const PASSWORD = "mật khẩu dài";

export const program = join(process.env.GANDAN_BIN ?? "target/debug", "gandan-server");

/** Runs one command of the server and waits for its end. */
async function command(args, input = "") {
  const running = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  running.stdin.end(input);
  const [code] = await once(running, "close");
  if (code !== 0) throw new Error(`gandan-server ${args[0]} ended with ${code}`);
}

/** The first line that a process prints, which says where it listens. */
export async function ready(running) {
  for await (const line of createInterface({ input: running.stdout })) {
    if (line.startsWith("ready ")) return `http://${line.match(/http=(\S+)/)[1]}`;
  }
  throw new Error("the server ended before it was ready");
}

export async function openOffice() {
  const data = await mkdtemp(join(tmpdir(), "gandan-browser-"));
  await command(["init", "--data", data, "--ward", "26995"]);
  for (const [login, role] of [["dung", "triage"], ["thinh", "chair"]]) {
    await command(["staff", "add", "--data", data, "--login", login, "--role", role], `${PASSWORD}\n`);
  }
  const server = spawn(
    program,
    ["serve", "--data", data, "--quic", "127.0.0.1:0", "--http", "127.0.0.1:0"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const address = await ready(server);
  server.stdout.resume();
  const browser = await openBrowser();
  return {
    address,
    browser,
    async close() {
      await browser.close();
      server.kill("SIGTERM");
      if (server.exitCode === null) await once(server, "exit");
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** Debian's Chromium, which asks nobody anything. */
export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/**
 * A page in a profile of its own. Whatever it asks from another address, and whatever the
 * content policy stops, is written down in `page.trespasses`.
 */
export async function openPage(office, options = {}) {
  const context = await office.browser.newContext({
    baseURL: office.address,
    locale: "vi-VN",
    timezoneId: "Asia/Ho_Chi_Minh",
    viewport: { width: 1366, height: 768 },
    ...options,
  });
  const page = await context.newPage();
  page.trespasses = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(office.address)) page.trespasses.push(request.url());
  });
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) page.trespasses.push(message.text());
  });
  page.on("pageerror", (error) => page.trespasses.push(String(error)));
  return page;
}

export async function signIn(page, login = "dung", password = PASSWORD) {
  await page.goto("/login");
  await page.getByLabel("Tên đăng nhập").fill(login);
  await page.getByLabel("Mật khẩu").fill(password);
  await page.getByRole("button", { name: "Đăng nhập" }).click();
}

/** Records a case at the desk; gives its short code. */
export async function recordAtDesk(page, { text, category = "Đường, vỉa hè", area, name, phone, urgency }) {
  await page.goto("/desk");
  await page.getByLabel("Nội dung").fill(text);
  await page.getByLabel("Lĩnh vực").selectOption({ label: `\u2003${category}` });
  if (area) await page.getByLabel("Địa bàn").selectOption({ label: area });
  if (urgency) await page.getByLabel("Mức khẩn").selectOption({ label: urgency });
  if (name) await page.getByLabel("Họ và tên").fill(name);
  if (phone) await page.getByLabel("Số điện thoại", { exact: true }).fill(phone);
  await page.getByRole("button", { name: "Ghi nhận" }).click();
  return page.locator("#short-code").innerText();
}

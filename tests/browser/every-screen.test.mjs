// What must hold on every screen, whatever it shows.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { openOffice, openPage, recordAtDesk, signIn } from "./office.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let office;
let paths;

before(async () => {
  office = await openOffice();
  const page = await openPage(office);
  await signIn(page);
  await page.waitForURL("**/cases");
  await recordAtDesk(page, { text: "Đèn đường hẻm 7 tắt", urgency: "Khẩn", name: "Trần Thị Thịnh" });
  const done = new URL(page.url());
  const id = done.searchParams.get("recorded");
  await page.goto(`/cases/${id}`);
  for (const [text, who] of [["Đã gọi điện lực", "Nội bộ"], ["Mai có thợ", "Trả lời người dân"]]) {
    await page.getByLabel("Thêm ghi chú").fill(text);
    await page.getByLabel(who).check();
    await page.getByRole("button", { name: "Lưu ghi chú" }).click();
    await page.getByText("Đã lưu ghi chú").waitFor();
  }
  paths = {
    list: "/cases",
    "empty list": "/cases?q=khong+co+gi",
    case: `/cases/${id}?done=noted`,
    desk: "/desk",
    "recorded at the desk": `/desk?recorded=${id}`,
    phones: "/devices",
    requests: "/requests",
    quarantine: "/quarantine",
    account: "/account",
    "audit trail": "/audit",
    problem: "/nowhere",
  };
  await page.context().close();
});
after(() => office?.close());

async function onEveryScreen(options, check) {
  const page = await openPage(office, options);
  await page.goto("/login");
  await check(page, "sign-in");
  // The chair, to whom every page opens.
  await signIn(page, "thinh");
  await page.waitForURL("**/cases");
  for (const [name, path] of Object.entries(paths)) {
    await page.goto(path);
    await check(page, name);
  }
  assert.deepEqual(page.trespasses.filter((said) => !said.includes("404")), []);
  await page.context().close();
}

test("screens follow WCAG 2.2 AA as far as a machine can tell", () =>
  onEveryScreen({}, async (page, name) => {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() =>
      globalThis.axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      }),
    );
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
    assert.deepEqual(found, [], name);
  }));

for (const [device, viewport] of [
  ["a phone", { width: 360, height: 740 }],
  ["an office screen", { width: 1366, height: 768 }],
]) {
  test(`nothing runs out of the side on ${device}`, () =>
    onEveryScreen({ viewport }, async (page, name) => {
      const width = await page.evaluate(() => document.scrollingElement.scrollWidth);
      assert.ok(width <= viewport.width, `${name} is ${width} px wide`);
    }));
}

test("lines leave room for the marks of Vietnamese letters", () =>
  onEveryScreen({}, async (page, name) => {
    const tight = await page.evaluate(() =>
      [...document.querySelectorAll("body *")]
        .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
        .filter((element) => !["SCRIPT", "TITLE", "OPTION"].includes(element.tagName))
        .filter((element) => {
          const style = getComputedStyle(element);
          return parseFloat(style.lineHeight) < 1.4 * parseFloat(style.fontSize) - 0.01;
        })
        .map((element) => element.outerHTML.slice(0, 80)),
    );
    assert.deepEqual(tight, [], name);
  }));

test("whoever works by keyboard sees where they are", () =>
  onEveryScreen({}, async (page, name) => {
    for (let step = 0; step < 12; step += 1) {
      await page.keyboard.press("Tab");
      const outline = await page.evaluate(() => {
        const element = document.activeElement;
        if (element === document.body) return "end";
        // A row is outlined as a whole, a choice by its label.
        const shown = [element, element.closest("label")]
          .filter(Boolean)
          .flatMap((one) => [getComputedStyle(one), getComputedStyle(one, "::after")]);
        return shown.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)
          ? "seen"
          : element.outerHTML.slice(0, 80);
      });
      if (outline === "end") break;
      assert.equal(outline, "seen", name);
    }
  }));

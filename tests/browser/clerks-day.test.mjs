// What a clerk does between eight and five.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, openOffice, openPage, recordAtDesk, signIn } from "./office.mjs";

let office;
before(async () => {
  office = await openOffice();
});
after(() => office?.close());

/** A page of this test, which must have asked nothing from anybody else when it is done. */
async function withPage(work, options) {
  const page = await openPage(office, options);
  try {
    await work(page);
    assert.deepEqual(page.trespasses, []);
  } finally {
    await page.context().close();
  }
}

async function walk(page) {
  await signIn(page, "dung", "không phải");
  await page.getByRole("alert").getByText("không đúng").waitFor();
  assert.equal(await page.getByLabel("Tên đăng nhập").inputValue(), "dung");
  await page.getByLabel("Mật khẩu").fill(PASSWORD);
  await page.getByRole("button", { name: "Đăng nhập" }).click();
  await page.waitForURL("**/cases");

  const code = await recordAtDesk(page, {
    text: "Nắp hố ga trước chùa ở hẻm 12 bị vỡ gần một tháng nay.\nKính đề nghị phường cho thay nắp mới.",
    name: "Trần Thị Thịnh",
    phone: "+84 903 343 439",
    urgency: "Cao",
  });
  assert.match(code, /^[A-Z2-9]{3}-[A-Z2-9]{4}$/);

  // Whoever is in a hurry types without marks.
  await page.goto("/cases");
  await page.getByRole("searchbox").fill("nap ho ga truoc chua");
  await page.getByRole("button", { name: "Tìm" }).click();
  assert.match(page.url(), /q=nap\+ho\+ga/);
  const list = page.url();
  await page.getByRole("link", { name: code }).click();
  await page.getByText("Chưa có số hồ sơ").waitFor();
  assert.ok(await page.getByText("0903 343 439").isVisible());

  await page.getByRole("button", { name: "Tiếp nhận, cấp số" }).click();
  const number = await page.locator("#official-number").innerText();
  assert.match(number, /^PA-\d{4}-\d{6}\/P26995$/);
  await page.getByRole("status").getByText(number).waitFor();

  await page.getByLabel("Bộ phận xử lý").selectOption({ label: "Phòng Kinh tế, Hạ tầng và Đô thị" });
  await page.getByRole("button", { name: "Phân công" }).click();
  await page.getByText("Đã phân công.").waitFor();

  await page.getByLabel("Nội dung trả lời ông/bà Thịnh").fill("Phường đã thay nắp mới. Cảm ơn bà Thịnh.");
  await page.getByRole("button", { name: "Ghi câu trả lời" }).click();
  await page.locator("#answer-text").getByText("Phường đã thay nắp mới.").waitFor();

  await page.getByLabel("Thêm ghi chú").fill("Nhờ tổ trưởng báo lại khi nắp ổn.");
  await page.getByRole("button", { name: "Lưu ghi chú" }).click();
  await page.locator(".note.internal").getByText("Nhờ tổ trưởng").waitFor();

  await page.getByRole("button", { name: "Đóng vụ việc" }).click();
  await page.getByText("Đã đóng vụ việc.").waitFor();
  const history = page.locator(".history");
  for (const told of ["Ghi nhận vụ việc", `Cấp số ${number}`, "Ghi câu trả lời", "Chuyển sang “Đóng”"]) {
    await history.getByText(told).first().waitFor();
  }

  await page.getByRole("link", { name: "← Danh sách" }).click();
  assert.equal(page.url(), list, "the list is as it was left");
  assert.ok(await page.getByRole("main").getByText("Đóng").first().isVisible());

  await page.getByRole("button", { name: "Đăng xuất" }).click();
  await page.waitForURL("**/login");
  await page.goto("/cases");
  assert.match(page.url(), /\/login\?next=/);
}

test("a case goes from the desk to closed", () => withPage(walk));

test("everything works without script", () => withPage(walk, { javaScriptEnabled: false }));

test("a mistake at the desk loses nothing that was typed", () =>
  withPage(async (page) => {
    await signIn(page);
    await page.goto("/desk");
    await page.getByText("Điện thoại", { exact: true }).first().click();
    await page.getByText("Khiếu nại").click();
    await page.getByLabel("Nội dung").fill("Không đồng ý “quyết định” số 12 <về đất>");
    await page.getByLabel("Họ và tên").fill("Trần Thị Thịnh");
    await page.getByLabel("Số điện thoại", { exact: true }).fill("0903 34");
    await page.getByRole("button", { name: "Ghi nhận" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByText("Chọn lĩnh vực.").waitFor();
    await page.getByText("Không phải số điện thoại.").waitFor();
    assert.equal(await page.getByLabel("Nội dung").inputValue(), "Không đồng ý “quyết định” số 12 <về đất>");
    assert.equal(await page.getByLabel("Họ và tên").inputValue(), "Trần Thị Thịnh");
    assert.ok(await page.getByLabel("Khiếu nại").isChecked());
  }));

test("words typed before the session ended are still there", () =>
  withPage(async (page) => {
    await signIn(page);
    const code = await recordAtDesk(page, { text: "Đèn hẻm 7 tắt ba hôm nay" });
    await page.getByRole("link", { name: "Mở vụ việc" }).click();
    await page.getByLabel("Thêm ghi chú").fill("Đã hẹn bà Thịnh chiều nay");
    await page.context().clearCookies();
    await page.getByRole("button", { name: "Lưu ghi chú" }).click();
    await page.getByText("nội dung vừa nhập vẫn còn").waitFor();
    await page.getByLabel("Tên đăng nhập").fill("dung");
    await page.getByLabel("Mật khẩu").fill(PASSWORD);
    await page.getByRole("button", { name: "Đăng nhập" }).click();
    await page.getByText("chưa được gửi").waitFor();
    assert.equal(await page.getByLabel("Thêm ghi chú").inputValue(), "Đã hẹn bà Thịnh chiều nay");
    await page.getByRole("button", { name: "Lưu ghi chú" }).click();
    await page.locator(".note.internal").getByText("Đã hẹn bà Thịnh").waitFor();
    assert.ok(await page.getByText(code).first().isVisible());
  }));

test("what a citizen says never runs", () =>
  withPage(async (page) => {
    await signIn(page);
    let ran = false;
    page.on("dialog", (dialog) => {
      ran = true;
      return dialog.dismiss();
    });
    const attack = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
    await recordAtDesk(page, { text: `${attack} kẻ phá rối`, name: attack });
    await page.getByRole("link", { name: "Mở vụ việc" }).click();
    await page.locator(".said-text").getByText("<script>alert(2)</script>").waitFor();
    await page.goto("/cases?q=ke+pha+roi");
    await page.getByText("<script>alert(2)</script>").waitFor();
    assert.equal(ran, false);
  }));

test("choosing a filter is enough, and a slash leads to the search", () =>
  withPage(async (page) => {
    await signIn(page);
    await recordAtDesk(page, { text: "Quán nhậu mở nhạc khuya", category: "Rác thải", urgency: "Khẩn" });
    await page.goto("/cases");
    await page.getByLabel("Mức khẩn").selectOption({ label: "Khẩn" });
    await page.waitForURL("**/cases?*urgency=urgent*");
    await page.getByText("Quán nhậu").waitFor();
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.id), "q");
    await page.keyboard.type("nhac khuya");
    await page.keyboard.press("Enter");
    await page.waitForURL("**q=nhac+khuya**");
    await page.getByRole("link", { name: "Bỏ lọc" }).click();
    await page.waitForURL("**/cases");
  }));

test("two clerks do not overwrite each other unseen", () =>
  withPage(async (page) => {
    await signIn(page);
    const code = await recordAtDesk(page, { text: "Hẻm 9 ngập sau mưa" });
    await page.getByRole("link", { name: "Mở vụ việc" }).click();
    await page.waitForURL("**/cases/*");
    const path = new URL(page.url()).pathname;
    await withPage(async (other) => {
      await signIn(other, "thinh");
      await other.goto(path);
      await other.getByRole("button", { name: "Tiếp nhận, cấp số" }).click();
      await other.locator("#official-number").waitFor();
    });
    await page.getByRole("button", { name: "Tiếp nhận, cấp số" }).click();
    await page.getByText("vừa được người khác xử lý").waitFor();
    assert.ok(await page.getByText(code).first().isVisible());
  }));

// Comforts only: every page works without this file.
"use strict";

const form = document.querySelector("form[data-filters]");
if (form) {
  // Choosing a filter is enough; Enter and the button stay for those who prefer them.
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
}

// On a phone the list matters more than its filters, unless one is set.
for (const fold of document.querySelectorAll("details[data-narrow=closed]")) {
  if (matchMedia("(max-width: 640px)").matches) fold.open = false;
}

const search = document.querySelector("input[type=search]");
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  // A Telex keyboard composes letters; a key of the composition is no command.
  if (event.key !== "/" || typing || event.isComposing || event.ctrlKey || event.metaKey) return;
  if (search) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});

// A second press of the same button must not send the same thing twice.
for (const sent of document.querySelectorAll("form[method=post]")) {
  sent.addEventListener("submit", (event) => {
    if (sent.dataset.sent) {
      event.preventDefault();
      return;
    }
    sent.dataset.sent = "yes";
    for (const button of sent.querySelectorAll("button")) button.setAttribute("aria-busy", "true");
  });
}
// Coming back with the browser's own button finds the form as it was left.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const sent of document.querySelectorAll("form[data-sent]")) {
    delete sent.dataset.sent;
    for (const button of sent.querySelectorAll("button")) button.removeAttribute("aria-busy");
  }
});

// Words typed and not sent are asked for before the page is left.
for (const kept of document.querySelectorAll("form[data-keep]")) {
  window.addEventListener("beforeunload", (event) => {
    const typed = [...kept.querySelectorAll("textarea")].some((area) => area.value !== area.defaultValue);
    if (typed && !kept.dataset.sent) event.preventDefault();
  });
}

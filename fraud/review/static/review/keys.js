// Keys for everything the pages do with the mouse. Without this file the pages work as well.
"use strict";

const ACTIONS = {
  c: ["clear"], p: ["ask_proof"], s: ["suspend"], b: ["propose_block", "confirm_block"],
  y: ["reject_block"], e: ["escalate"], z: ["snooze"], o: ["release"], m: ["note"], v: ["contest"],
};

function typing(target) {
  return target.closest("input:not([type=checkbox]), textarea, select") !== null;
}

function rows() {
  return [...document.querySelectorAll("[data-row]")];
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const to = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
  to.querySelector("a").focus();
  to.scrollIntoView({ block: "nearest" });
}

function open(details) {
  details.open = true;
  details.scrollIntoView({ block: "nearest" });
  const field = details.querySelector("select, input:not([type=hidden]), textarea, button");
  if (field) field.focus();
}

function act(key) {
  const submit = document.querySelector(`[data-key-submit="${CSS.escape(key)}"]`);
  const focus = document.querySelector(`[data-key-focus="${CSS.escape(key)}"]`);
  const toOpen = document.querySelector(`[data-key-open="${CSS.escape(key)}"]`);
  const action = (ACTIONS[key] || [])
    .map((name) => document.querySelector(`[data-action="${name}"]`)).find(Boolean);
  if (key === "?") document.getElementById("keys")?.showModal();
  else if (key === "j") step(1);
  else if (key === "k") step(-1);
  else if (key === "x") document.activeElement.closest("[data-row]")?.querySelector("input").click();
  else if (key === "q") location.assign("/");
  else if (key === "]" || key === "[") document.querySelector(key === "]" ? "a[rel=next]" : "a[rel=first]")?.click();
  else if (key === "d") document.querySelectorAll("details.behind").forEach((one) => { one.open = !one.open; });
  else if (key === "a") document.querySelectorAll("[data-row] input").forEach((one) => { one.checked = !one.checked; });
  else if (submit) submit.requestSubmit();
  else if (focus) focus.focus();
  else if (toOpen) open(toOpen);
  else if (action) open(action);
  else return false;
  return true;
}

// A key that comes before the page is whole waits for it: on half a page it would find the wrong thing.
function onKey(event) {
  if (event.key === "Escape" && typing(event.target)) {
    event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (document.readyState !== "loading") {
    if (act(event.key)) event.preventDefault();
    return;
  }
  document.addEventListener("DOMContentLoaded", () => {
    if (!typing(document.activeElement)) act(event.key);
  }, { once: true });
}

document.addEventListener("keydown", onKey);
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-keys]")) return;
  event.preventDefault();
  document.getElementById("keys").showModal();
});

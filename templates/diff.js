"use strict";
(() => {
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const objects = all(".object");
  const roots = all(".root");
  const search = document.getElementById("search");
  const status = document.getElementById("status");
  const button = (name) => document.querySelector(`[data-do="${name}"]`);
  let texts = null;
  let current = -1;

  const pressed = (element) => element.getAttribute("aria-pressed") === "true";
  const press = (element, value) => element.setAttribute("aria-pressed", String(value));

  function filter() {
    // the texts are gathered when they are first wanted: a large page opens sooner
    if (texts === null && search.value !== "") texts = objects.map((object) => object.textContent.toLowerCase());
    const words = search.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const kinds = new Set(all("[data-filter]").filter(pressed).map((element) => element.dataset.filter));
    const danger = pressed(document.querySelector('[data-only="danger"]'));
    let shown = 0;
    objects.forEach((object, at) => {
      const kind = ["added", "removed", "changed"].find((name) => object.classList.contains(name));
      const visible = kinds.has(kind) && (!danger || object.classList.contains("danger")) && words.every((word) => texts[at].includes(word));
      object.hidden = !visible;
      shown += visible ? 1 : 0;
    });
    roots.forEach((root) => { root.hidden = root.querySelector(".object:not([hidden])") === null; });
    status.textContent = shown === objects.length ? `${shown} objects` : `${shown} of ${objects.length} objects`;
  }

  const setAll = (open) => objects.forEach((object) => { if (!object.hidden) object.open = open; });

  function go(step) {
    let at = current;
    do { at += step; } while (at >= 0 && at < objects.length && objects[at].hidden);
    if (at < 0 || at >= objects.length) return;
    if (current >= 0) objects[current].classList.remove("current");
    current = at;
    objects[at].classList.add("current");
    objects[at].scrollIntoView({ block: "nearest" });
    objects[at].querySelector("summary").focus({ preventScroll: true });
  }

  function side() {
    const on = document.body.classList.toggle("side");
    press(button("side"), on);
  }

  function theme() {
    const root = document.documentElement;
    const dark = root.classList.contains("dark") || (!root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
    root.classList.toggle("dark", !dark);
    root.classList.toggle("light", dark);
  }

  function flip(element) {
    press(element, !pressed(element));
    filter();
  }

  const acts = { expand: () => setAll(true), collapse: () => setAll(false), side, theme };
  all("[data-do]").forEach((element) => element.addEventListener("click", acts[element.dataset.do]));
  all("[data-filter], [data-only]").forEach((element) => element.addEventListener("click", () => flip(element)));
  search.addEventListener("input", filter);
  all('a[href^="#"]').forEach((link) => link.addEventListener("click", () => {
    const target = document.getElementById(link.getAttribute("href").slice(1));
    if (target === null) return;
    if (target.hidden) { search.value = ""; all("[data-filter]").forEach((element) => press(element, true)); filter(); }
    target.open = true;
  }));

  const keys = {
    "/": () => search.focus(),
    j: () => go(1),
    k: () => go(-1),
    o: () => { if (current >= 0) objects[current].open = !objects[current].open; },
    e: acts.expand,
    c: acts.collapse,
    d: () => flip(document.querySelector('[data-only="danger"]')),
    s: side,
    t: theme,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === search) {
      if (event.key === "Escape") { search.value = ""; filter(); search.blur(); }
      return;
    }
    const act = keys[event.key];
    if (act !== undefined) { event.preventDefault(); act(); }
  });

  all(".tools, .keys").forEach((element) => { element.hidden = false; });
  filter();
})();

// Filters the checks and keeps a check open that somebody was led to. Without it everything can be read.
"use strict";
(() => {
  const bar = document.getElementById("filter");
  const list = document.getElementById("check-list");
  if (!bar || !list) return;
  const checks = Array.from(list.children, (item) => ({
    item,
    text: item.textContent.toLowerCase(),
    verdict: item.dataset.verdict,
    component: item.dataset.component,
  }));
  const shown = document.getElementById("shown");
  const word = document.getElementById("filter-text");
  const component = document.getElementById("filter-component");
  const verdicts = Array.from(bar.querySelectorAll("input[type=checkbox]"));

  const filter = () => {
    const words = word.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set(verdicts.filter((box) => box.checked).map((box) => box.value));
    let number = 0;
    for (const check of checks) {
      const fits =
        wanted.has(check.verdict) &&
        (!component.value || check.component === component.value) &&
        words.every((part) => check.text.includes(part));
      check.item.hidden = !fits;
      number += fits ? 1 : 0;
    }
    shown.textContent = `${number} of ${checks.length} checks`;
  };

  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    const item = target && target.closest("#check-list > li");
    if (!item) return;
    if (item.hidden) {
      word.value = component.value = "";
      for (const box of verdicts) box.checked = true;
      filter();
    }
    const details = item.querySelector("details");
    details.open = true;
    details.scrollIntoView();
    details.querySelector("summary").focus({ preventScroll: true });
  };

  bar.hidden = false;
  bar.addEventListener("input", filter);
  document.getElementById("open-all").addEventListener("click", (event) => {
    const open = event.target.getAttribute("aria-pressed") !== "true";
    event.target.setAttribute("aria-pressed", String(open));
    for (const check of checks) {
      if (!check.item.hidden) check.item.querySelector("details").open = open;
    }
  });
  addEventListener("hashchange", reveal);
  filter();
  reveal();
})();

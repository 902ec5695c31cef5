// The explorer of a table without page loads: links and forms fetch the section anew and put it in its place.
// Without scripts the same links and forms load the page. Map and chart code come when they are shown.
let waiting = null;

async function go(address, { focus = "", push = true, top = false } = {}) {
  const present = document.querySelector("[data-table]");
  const query = new URL(address, location.href).search;
  waiting?.abort();
  waiting = new AbortController();
  present.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(present.dataset.part + query, { signal: waiting.signal, headers: { "X-Requested-With": "explorer" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const section = page.querySelector("[data-table]");
    const held = document.activeElement?.id;
    keepOpen(present, section);
    present.replaceWith(section);
    if (push) history.pushState({ table: true }, "", present.dataset.page + query);
    enhance(section);
    const target = document.getElementById(focus || held || "explorer-title");
    target?.focus({ preventScroll: !focus });
    if (top) section.scrollIntoView();
  } catch (fault) {
    if (fault.name !== "AbortError") location.assign(address); // the page itself says what is the matter
  }
}

// What the reader unfolded stays unfolded.
function keepOpen(present, section) {
  const open = [...present.querySelectorAll("details")].map((each) => each.open);
  section.querySelectorAll("details").forEach((each, index) => (each.open ||= open[index] ?? false));
}

function enhance(section) {
  const filter = section.querySelector("[data-filter]");
  if (filter) fit(filter);
  for (const text of section.querySelectorAll("[data-copy]")) offerCopy(text);
  const map = section.querySelector("[data-features]");
  if (map) import("./map-table.js").then((room) => room.show(map, (row) => go(map.dataset.row.replace("ROW", row), { focus: "row-title" })));
  const chart = section.querySelector("[data-chart]");
  if (chart) import("./chart-table.js").then((room) => room.show(chart, JSON.parse(section.querySelector("[data-chart-data]").textContent), zoom));
}

// Only the conditions that the chosen column knows; no value where none is asked.
function fit(form) {
  const [column, operator, value] = ["column", "op", "value"].map((name) => form.querySelector(`select[name=${name}], input[type=text][name=${name}]`));
  const offered = [...operator.options].map((each) => each.cloneNode(true));
  const choose = () => {
    const fitting = column.selectedOptions[0].dataset.operators.split(" ");
    const chosen = operator.value;
    operator.replaceChildren(...fitting.map((name) => offered.find((each) => each.value === name)));
    operator.value = fitting.includes(chosen) ? chosen : fitting[0];
    value.closest("label").hidden = ["empty", "filled"].includes(operator.value);
  };
  column.addEventListener("change", choose);
  operator.addEventListener("change", choose);
  choose();
}

function offerCopy(text) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-secondary t-copy", textContent: text.dataset.copy });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = text.dataset.copied;
    } catch {
      getSelection().selectAllChildren(text); // the reader's own keys copy it
    }
  });
  text.before(button);
}

function zoom(from, to) {
  const form = document.querySelector("[data-live]");
  form.elements.from.value = from;
  form.elements.to.value = to;
  go(addressOf(form));
}

function addressOf(form) {
  const pairs = new URLSearchParams(new FormData(form));
  return `${form.getAttribute("action").split("#")[0]}?${pairs}`;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-table] a[data-follow]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.href, { focus: link.dataset.focus, top: link.id.startsWith("rows-") });
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-table] form[data-send]")) return;
  event.preventDefault();
  go(addressOf(event.target));
});
document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-table] form[data-live]");
  if (!form || !event.target.matches("select")) return;
  const { function: figure, y } = form.elements;
  if (event.target === y && y.value && figure.value === "count") figure.value = form.dataset.live; // rows need no column
  go(addressOf(form));
});
addEventListener("popstate", () => document.querySelector("[data-table]") && go(location.href, { push: false }));
const first = document.querySelector("[data-table]");
if (first) enhance(first);

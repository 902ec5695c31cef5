// What is typed stays in this browser until it is saved: an expired session or a closed window loses nothing.
// One draft a person and thing; never passwords, files or tokens; gone after a save and after signing out.
const PREFIX = "ccphva-draft:";
const SENT = "ccphva-sent";
const NEVER = new Set(["_csrf_token", "ccphva_seen", "save", "pkg_name", "id", "_ckan_phase"]);

export function guard(form, marker, texts) {
  const { user, draft } = marker.dataset;
  const key = `${PREFIX}${user}:${draft}`;
  const refused = document.getElementById("form-faults") ?? document.getElementById("form-conflict");
  const start = JSON.stringify(typed(form));
  let timer;
  const keep = () => {
    const now = typed(form);
    try {
      if (JSON.stringify(now) === start && !refused) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify({ at: Date.now(), values: now }));
    } catch {
      // a full or forbidden store: the form works without
    }
  };
  if (user) {
    if (refused) keep();
    else offer(form, marker, key, texts, start);
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(keep, 400);
    });
  }
  tellFiles(form, refused, texts);
  form.addEventListener("submit", (event) => {
    if (form.dataset.sending) return event.preventDefault();
    form.dataset.sending = "yes";
    if (user) {
      keep();
      sessionStorage.setItem(SENT, JSON.stringify({ key, files: chosen(form), path: location.pathname }));
    }
    // after this event, so that the button's own value is sent
    setTimeout(() => {
      for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-disabled", "true");
      if (event.submitter) event.submitter.textContent = texts.sending;
    });
  });
  addEventListener("pageshow", (event) => event.persisted && delete form.dataset.sending);
}

function typed(form) {
  const values = [];
  for (const field of form.elements) {
    if (!field.name || NEVER.has(field.name) || ["password", "file", "hidden", "submit", "button"].includes(field.type)) continue;
    if (["checkbox", "radio"].includes(field.type) && !field.checked) continue;
    for (const value of field.multiple ? [...field.selectedOptions].map((o) => o.value) : [field.value]) values.push([field.name, value]);
  }
  return values;
}

function offer(form, marker, key, texts, start) {
  let kept;
  try {
    kept = JSON.parse(localStorage.getItem(key));
  } catch {
    return;
  }
  if (!kept || JSON.stringify(kept.values) === start) return;
  const box = Object.assign(document.createElement("div"), { className: "alert alert-info t-draft" });
  box.setAttribute("role", "status");
  const time = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  const say = Object.assign(document.createElement("p"), { textContent: texts.offer.replace("{time}", time.format(kept.at)) });
  const back = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-primary", textContent: texts.restore });
  const away = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-secondary", textContent: texts.discard });
  back.addEventListener("click", () => {
    restore(form, kept.values);
    box.remove();
    form.querySelector("input:not([type=hidden]), textarea")?.focus();
  });
  away.addEventListener("click", () => {
    localStorage.removeItem(key);
    box.remove();
  });
  box.append(say, back, " ", away);
  marker.after(box);
}

function restore(form, values) {
  const byName = Map.groupBy ? Map.groupBy(values, ([name]) => name) : group(values);
  for (const [name] of byName) {
    const indexed = /^(\w+)-(\d+)-/.exec(name);
    if (indexed && !form.elements[name]) growGroup(form, indexed[1], Number(indexed[2]));
  }
  for (const [name, entries] of byName) growLines(form, name, entries.length);
  for (const field of form.elements) {
    if (!field.name || NEVER.has(field.name) || ["file", "hidden"].includes(field.type)) continue;
    const queue = byName.get(field.name);
    if (["checkbox", "radio"].includes(field.type)) field.checked = Boolean(queue?.some(([, value]) => value === field.value));
    else if (field.multiple) for (const option of field.options) option.selected = Boolean(queue?.some(([, value]) => value === option.value));
    else if (queue?.length) field.value = queue.shift()[1];
  }
  for (const details of form.querySelectorAll("details")) details.open ||= [...details.querySelectorAll("input, textarea")].some((f) => f.value);
}

function group(values) {
  const found = new Map();
  for (const entry of values) found.set(entry[0], [...(found.get(entry[0]) ?? []), entry]);
  return found;
}

function growGroup(form, field, index) {
  const box = document.getElementById(`field-${field}`);
  if (!box?.matches("[data-groups]")) return;
  box.dataset.next = index;
  box.querySelector(":scope > [data-add-group]")?.click();
}

function growLines(form, name, wanted) {
  const lines = document.getElementById(`field-${name}`)?.querySelector("[data-lines]");
  if (!lines) return;
  while (lines.children.length < wanted) lines.parentElement.querySelector("[data-add-line]").click();
}

const chosen = (form) => [...form.querySelectorAll("input[type=file]")].flatMap((field) => [...field.files].map((file) => file.name));

// A browser may not fill in a file again: say which one was chosen.
function tellFiles(form, refused, texts) {
  const sent = JSON.parse(sessionStorage.getItem(SENT) ?? "null");
  if (!refused || !sent?.files.length) return;
  const note = Object.assign(document.createElement("p"), { textContent: `${texts.files} ${sent.files.join(", ")}` });
  refused.append(note);
}

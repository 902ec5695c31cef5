// Search fields suggest while somebody types (WAI-ARIA combobox with a list), and the map takes a rectangle.
// Without this file both are plain forms.
const WAIT = 150;
const FIELDS = "[data-suggest], #field-main-search, #field-sitewide-search";
const WORDS = {
  fr: { dataset: "Jeux de données", theme: "Thèmes", organization: "Organisations", some: (n) => `${n} suggestions`, none: "Aucune suggestion", list: "Suggestions" },
  de: { dataset: "Datensätze", theme: "Themen", organization: "Organisationen", some: (n) => `${n} Vorschläge`, none: "Keine Vorschläge", list: "Vorschläge" },
  en: { dataset: "Datasets", theme: "Themes", organization: "Organisations", some: (n) => `${n} suggestions`, none: "No suggestions", list: "Suggestions" },
  lb: { dataset: "Datesätz", theme: "Themen", organization: "Organisatiounen", some: (n) => `${n} Virschléi`, none: "Keng Virschléi", list: "Virschléi" },
};
const words = WORDS[document.documentElement.lang] ?? WORDS.en;
const root = document.querySelector("meta[name=locale-root]")?.content ?? "/";
const make = (name, more) => Object.assign(document.createElement(name), more);

for (const [number, input] of document.querySelectorAll(FIELDS).entries()) suggest(input, `suggestions-${number}`);
for (const svg of document.querySelectorAll("[data-draw-box]")) draw(svg);

function suggest(input, id) {
  const list = make("ul", { id, className: "t-suggestions", hidden: true });
  const said = make("p", { className: "visually-hidden" });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", words.list);
  said.setAttribute("role", "status");
  const home = make("div", { className: "t-suggest-home" });
  input.before(home);
  home.append(input, list, said);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id })) input.setAttribute(name, value);
  let timer, asked = 0, options = [], at = -1;

  const close = () => {
    asked += 1; // an answer that is still under way comes too late
    clearTimeout(timer);
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (next) => {
    options[at]?.setAttribute("aria-selected", "false");
    at = options.length ? (next + options.length) % options.length : -1;
    options[at]?.setAttribute("aria-selected", "true");
    options[at]?.scrollIntoView({ block: "nearest" });
    if (at >= 0) input.setAttribute("aria-activedescendant", options[at].id);
  };
  const show = (found) => {
    options = [];
    at = -1;
    input.removeAttribute("aria-activedescendant");
    list.replaceChildren(...["theme", "organization", "dataset"].filter((kind) => found.some((each) => each.kind === kind)).map((kind) => {
      const group = make("ul");
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", words[kind]);
      const title = make("li", { className: "t-suggestions-kind", textContent: words[kind] });
      title.setAttribute("role", "presentation");
      group.append(title);
      for (const each of found.filter((one) => one.kind === kind)) {
        const option = make("li", { id: `${id}-${options.length}`, textContent: each.title });
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.url = each.url;
        options.push(option);
        group.append(option);
      }
      const item = make("li");
      item.setAttribute("role", "presentation");
      item.append(group);
      return item;
    }));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    said.textContent = found.length ? words.some(found.length) : words.none;
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (input.value.trim().length < 2) return close();
    timer = setTimeout(async () => {
      const mine = ++asked;
      try {
        const answer = await fetch(`${root.replace(/\/?$/, "/")}search/suggest?${new URLSearchParams({ q: input.value.slice(0, 100) })}`);
        const found = answer.ok ? await answer.json() : [];
        if (mine === asked) show(found);
      } catch {
        close(); // no network: the form still says so
      }
    }, WAIT);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault(); // the browser would empty the field
      close();
    } else if (event.key === "ArrowDown" && !list.hidden) {
      event.preventDefault();
      mark(at + 1);
    } else if (event.key === "ArrowUp" && !list.hidden) {
      event.preventDefault();
      mark(at < 0 ? options.length - 1 : at - 1);
    } else if (event.key === "Enter" && at >= 0 && !list.hidden) {
      event.preventDefault();
      location.assign(options[at].dataset.url);
    }
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.assign(option.dataset.url);
  });
  input.addEventListener("blur", close);
}

function draw(svg) {
  const box = svg.querySelector(".t-map-box");
  const field = svg.parentElement.querySelector("input[name=ext_bbox]");
  const edge = Object.fromEntries(["west", "south", "east", "north"].map((name) => [name, Number(svg.dataset[name])]));
  const { width, height } = svg.viewBox.baseVal;
  let from;
  const place = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  const corners = (to) => ({ x: Math.min(from.x, to.x), y: Math.min(from.y, to.y), w: Math.abs(to.x - from.x), h: Math.abs(to.y - from.y) });
  let drawn = false;

  svg.addEventListener("dragstart", (event) => event.preventDefault()); // communes are links
  svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button) return; // a finger scrolls the page
    from = place(event);
    drawn = false;
  });
  svg.addEventListener("pointermove", (event) => {
    if (!from) return;
    const { x, y, w, h } = corners(place(event));
    drawn = w > 8 && h > 8;
    for (const [name, value] of Object.entries({ x, y, width: w, height: h })) box.setAttribute(name, value);
  });
  window.addEventListener("pointerup", (event) => {
    if (!from) return;
    const { x, y, w, h } = corners(place(event));
    from = undefined;
    if (!drawn) return void box.setAttribute("width", 0);
    const longitude = (at) => (edge.west + (at / width) * (edge.east - edge.west)).toFixed(4);
    const latitude = (at) => (edge.north - (at / height) * (edge.north - edge.south)).toFixed(4);
    field.value = [longitude(x), latitude(y + h), longitude(x + w), latitude(y)].join(",");
    field.closest("details").open = true;
    field.form.requestSubmit();
  });
  svg.addEventListener("click", (event) => drawn && event.preventDefault(), true);
}

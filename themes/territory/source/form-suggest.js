// Suggestions: keywords that the catalogue has, and themes whose names or words are in the texts already typed.
const WAIT = 250;

export function suggest(form, texts) {
  for (const box of form.querySelectorAll("[data-texts=tags_translated]")) {
    for (const input of box.querySelectorAll("input[lang]")) keywords(input);
  }
  for (const box of form.querySelectorAll("[data-choices=theme]")) themes(form, box, texts);
}

function keywords(input) {
  const list = Object.assign(document.createElement("datalist"), { id: `${input.id}-list` });
  input.after(list);
  input.setAttribute("list", list.id);
  input.autocomplete = "off";
  let timer;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const parts = input.value.split(",");
      const begun = parts.pop().trim();
      if (begun.length < 2) return list.replaceChildren();
      const root = document.querySelector("meta[name=site-root]")?.content ?? "/";
      const answer = await fetch(`${root}api/3/action/ccphva_keyword_autocomplete?${new URLSearchParams({ q: begun, language: input.lang })}`);
      if (!answer.ok) return;
      const before = parts.map((part) => part.trim()).filter(Boolean);
      list.replaceChildren(...(await answer.json()).result.map((word) =>
        Object.assign(document.createElement("option"), { value: [...before, word].join(", ") })));
    }, WAIT);
  });
}

function themes(form, box, texts) {
  const note = Object.assign(document.createElement("p"), { className: "t-suggested" });
  note.setAttribute("role", "status");
  box.querySelector(".t-boxes").before(note);
  let timer;
  const ask = async () => {
    const typed = [...form.querySelectorAll("[data-texts] input, [data-texts] textarea")].map((f) => f.value).join(" ").slice(0, 4000);
    if (typed.trim().length < 4) return note.replaceChildren();
    const root = document.querySelector("meta[name=site-root]")?.content ?? "/";
    const answer = await fetch(`${root}api/3/action/ccphva_theme_suggest?${new URLSearchParams({ text: typed, type: "dataset" })}`);
    if (!answer.ok) return;
    const found = (await answer.json()).result
      .map((value) => [...box.querySelectorAll("input")].find((input) => input.value === value))
      .filter((input) => input && !input.checked);
    note.replaceChildren(...(found.length ? [`${texts.suggested} : `] : []), ...found.map(choice));
  };
  const choice = (input) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-secondary", textContent: `+ ${input.parentElement.textContent.trim()}` });
    button.addEventListener("click", () => {
      input.checked = true;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      button.remove();
      input.focus();
    });
    return button;
  };
  form.addEventListener("input", (event) => {
    if (!event.target.closest("[data-texts]")) return;
    clearTimeout(timer);
    timer = setTimeout(ask, 2 * WAIT);
  });
  ask();
}

// Suggestions: keywords that the catalogue has, and themes whose names or words are in the texts already typed.
const WAIT = 250;

export function suggest(form, texts) {
  for (const box of form.querySelectorAll("[data-texts=tags_translated]")) {
    for (const input of box.querySelectorAll("input[lang]")) {
      keywords(input);
      usedWords(form, input, texts);
    }
  }
  for (const field of ["theme", "local_theme"]) {
    for (const box of form.querySelectorAll(`[data-choices=${field}]`)) themes(form, box, field, texts);
  }
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
      const found = await call("ccphva_keyword_autocomplete", { q: begun, language: input.lang });
      const before = parts.map((part) => part.trim()).filter(Boolean);
      list.replaceChildren(...found.map((word) =>
        Object.assign(document.createElement("option"), { value: [...before, word].join(", ") })));
    }, WAIT);
  });
}

function themes(form, box, field, texts) {
  offers(form, box.querySelector(".t-boxes"), texts, async (typed) => {
    const found = await call("ccphva_theme_suggest", { text: typed(), type: "dataset", field });
    return found
      .map((value) => [...box.querySelectorAll("input")].find((input) => input.value === value))
      .filter((input) => input && !input.checked)
      .map((input) => ({ label: input.parentElement.textContent.trim(), input, take: () => { input.checked = true; } }));
  });
}

function usedWords(form, input, texts) {
  offers(form, input, texts, async (typed) => {
    const has = input.value.split(",").map((word) => word.trim()).filter(Boolean);
    const found = await call("ccphva_keyword_suggest", { text: typed(input.lang), language: input.lang });
    return found.filter((word) => !has.includes(word)).map((word) => ({
      label: word,
      input,
      take: () => { input.value = [...input.value.split(",").map((w) => w.trim()).filter(Boolean), word].join(", "); },
    }));
  });
}

// A line of buttons before a field, asked for anew when the texts of the form change.
function offers(form, field, texts, ask) {
  const note = Object.assign(document.createElement("p"), { className: "t-suggested" });
  note.setAttribute("role", "status");
  field.before(note);
  const typed = (language) => [...form.querySelectorAll("[data-texts] input, [data-texts] textarea")]
    .filter((each) => !language || each.lang === language).map((each) => each.value).join(" ").slice(0, 4000);
  const show = async () => {
    const found = typed().trim().length < 4 ? [] : await ask(typed);
    note.replaceChildren(...(found.length ? [`${texts.suggested} : `] : []), ...found.map(button));
  };
  const button = ({ label, input, take }) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-secondary", textContent: `+ ${label}` });
    made.addEventListener("click", () => {
      take();
      input.dispatchEvent(new Event("input", { bubbles: true }));
      made.remove();
      input.focus();
    });
    return made;
  };
  let timer;
  form.addEventListener("input", (event) => {
    if (!event.target.closest("[data-texts]")) return;
    clearTimeout(timer);
    timer = setTimeout(show, 2 * WAIT);
  });
  show();
}

async function call(action, query) {
  const root = document.querySelector("meta[name=site-root]")?.content ?? "/";
  const answer = await fetch(`${root}api/3/action/${action}?${new URLSearchParams(query)}`);
  return answer.ok ? (await answer.json()).result : [];
}

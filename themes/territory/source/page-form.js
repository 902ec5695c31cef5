// What a form gains from scripts. Without them it works too: all steps stand below each other.
import { guard } from "./form-draft.js";
import { repeat } from "./form-repeat.js";
import { steps } from "./form-steps.js";
import { suggest } from "./form-suggest.js";

const marker = document.querySelector("[data-form-guard]");
const form = marker?.closest("form");
if (form) {
  const texts = JSON.parse(marker.dataset.texts);
  repeat(form);
  steps(form, texts);
  guard(form, marker, texts);
  suggest(form, texts);
  form.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-open-map]");
    if (button) (await import("./map-outline.js")).open(button, texts);
  });
  offerMaps(form, texts);
  (document.getElementById("form-faults") ?? document.getElementById("form-conflict"))?.focus();
}

// A button beside each field of a geometry, of groups added later too.
function offerMaps(form, texts) {
  const add = () => {
    for (const field of form.querySelectorAll("textarea[data-outline]:not([data-map])")) {
      field.dataset.map = "offered";
      const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-secondary", textContent: texts.map });
      button.dataset.openMap = "";
      button.setAttribute("aria-expanded", "false");
      field.after(button);
    }
  };
  add();
  form.addEventListener("form-grew", add);
}

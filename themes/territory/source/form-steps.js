// One step at a time, with the browser's own address for each (#step-2) so that Back works.
export function steps(form, texts) {
  const sections = [...form.querySelectorAll(".t-step")];
  const nav = form.querySelector("[data-steps]");
  if (sections.length < 2 || !nav) return;
  const links = [...nav.querySelectorAll("a")];
  sections.forEach((section, index) => section.append(buttons(index)));

  function buttons(index) {
    const row = Object.assign(document.createElement("p"), { className: "t-step-buttons" });
    if (index > 0) row.append(button(texts.previous, index - 1));
    if (index < sections.length - 1) row.append(button(texts.next, index + 1));
    return row;
  }

  function button(label, target) {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-secondary", textContent: label });
    made.addEventListener("click", () => {
      history.pushState(null, "", `#step-${target + 1}`);
      show(target, true);
    });
    return made;
  }

  function show(wanted, focus = false) {
    sections.forEach((section, index) => (section.hidden = index !== wanted));
    links.forEach((link, index) =>
      index === wanted ? link.setAttribute("aria-current", "step") : link.removeAttribute("aria-current"));
    if (focus) sections[wanted].querySelector("h2")?.focus();
  }

  // An address may name a step or a field in one: a link of the list of faults.
  function follow(focus) {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const index = target ? sections.findIndex((section) => section.contains(target)) : -1;
    if (index < 0) return false;
    show(index, focus && target === sections[index]);
    if (target !== sections[index]) {
      target.closest("details")?.setAttribute("open", "");
      target.focus();
      target.scrollIntoView({ block: "center" });
    }
    return true;
  }

  links.forEach((link, index) => {
    if (sections[index].querySelector(".error, [aria-invalid]")) link.classList.add("t-step-fault");
  });
  addEventListener("hashchange", () => follow(true));
  addEventListener("popstate", () => follow(true));
  if (!follow(true)) show(Math.max(0, sections.findIndex((section) => section.querySelector("[aria-invalid], .error"))));
}

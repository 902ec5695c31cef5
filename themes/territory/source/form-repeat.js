// Lines and groups that repeat: add and remove.
export function repeat(form) {
  for (const button of form.querySelectorAll("[data-remove], [data-add-line], [data-add-group]")) button.hidden = false;
  for (const lines of form.querySelectorAll("[data-lines]")) dropEmptyLines(lines);
  for (const box of form.querySelectorAll("[data-groups]")) showAdd(box);
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.matches("[data-remove]")) remove(button);
    else if (button?.matches("[data-add-line]")) addLine(button);
    else if (button?.matches("[data-add-group]")) addGroup(button, form);
  });
}

// The line that serves readers without scripts is one too many where others are filled.
function dropEmptyLines(lines) {
  const items = [...lines.children];
  if (items.length > 1) items.at(-1).remove();
  items[0].querySelector("[data-remove]").hidden = items.length === 1;
}

function addLine(button) {
  const lines = button.parentElement.querySelector("[data-lines]");
  const item = lines.lastElementChild.cloneNode(true);
  const input = item.querySelector("input");
  input.value = "";
  input.setAttribute("aria-label", `${input.dataset.label} ${lines.children.length + 1}`);
  item.querySelector("[data-remove]").hidden = false;
  lines.append(item);
  input.focus();
}

function addGroup(button, form) {
  const box = button.parentElement;
  const groups = box.querySelectorAll(":scope > [data-group]").length;
  const index = Number(box.dataset.next ?? groups);
  box.dataset.next = index + 1;
  const html = box.querySelector(":scope > template").innerHTML.replaceAll("INDEX", index).replaceAll("NUMBER", groups + 1);
  button.insertAdjacentHTML("beforebegin", html);
  const group = button.previousElementSibling;
  for (const hidden of group.querySelectorAll("button[hidden]")) hidden.hidden = false;
  showAdd(box);
  form.dispatchEvent(new Event("form-grew"));
  group.querySelector("input, select, textarea")?.focus();
}

function remove(button) {
  const item = button.closest("li, [data-group]");
  const box = button.closest("[data-groups], .t-lines");
  const only = item.matches("li") && item.parentElement.children.length === 1;
  if (only) item.querySelector("input").value = "";
  else item.remove();
  showAdd(box);
  box.focus();
}

function showAdd(box) {
  const add = box.querySelector(":scope > [data-add-group]");
  if (add) add.hidden = "once" in add.dataset && box.querySelector(":scope > [data-group]") !== null;
}

// On every page of somebody signed in: after a save its draft goes; signing out takes all drafts along.
const sent = JSON.parse(sessionStorage.getItem("ccphva-sent") ?? "null");
if (sent && !document.querySelector("#form-faults, #form-conflict") && document.body.dataset.signedIn) {
  localStorage.removeItem(sent.key);
  sessionStorage.removeItem("ccphva-sent");
}
document.addEventListener("submit", (event) => /\/user\/_?logout/.test(event.target.action) && clear());
document.addEventListener("click", (event) => /\/user\/_?logout/.test(event.target.closest?.("a")?.href) && clear());

function clear() {
  for (const key of Object.keys(localStorage)) if (key.startsWith("ccphva-draft:")) localStorage.removeItem(key);
}

// Core names links and buttons otherwise than they read (WCAG 2.5.3, label in name): what is read counts.
for (const named of document.querySelectorAll("[aria-label][data-bs-title]")) if (named.innerText.trim()) named.removeAttribute("aria-label");

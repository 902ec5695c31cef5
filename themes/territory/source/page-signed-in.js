// On every page of somebody signed in: after a save its draft goes; signing out takes all drafts along.
const sent = JSON.parse(sessionStorage.getItem("ccphva-sent") ?? "null");
// Saved is what led on from the form by a redirect; a page of faults, an outage or a sign-in keeps the draft.
const from = document.referrer && new URL(document.referrer).pathname;
const ledOn = performance.getEntriesByType("navigation")[0]?.redirectCount > 0;
if (sent && sent.path === from && ledOn) localStorage.removeItem(sent.key);
if (sent && !document.querySelector("#form-faults, #form-conflict")) sessionStorage.removeItem("ccphva-sent");
document.addEventListener("submit", (event) => /\/user\/_?logout/.test(event.target.action) && clear());
document.addEventListener("click", (event) => /\/user\/_?logout/.test(event.target.closest?.("a")?.href) && clear());

function clear() {
  for (const key of Object.keys(localStorage)) if (key.startsWith("ccphva-draft:")) localStorage.removeItem(key);
}

// Core names links and buttons otherwise than they read (WCAG 2.5.3, label in name): what is read counts.
for (const named of document.querySelectorAll("[aria-label][data-bs-title]")) if (named.innerText.trim()) named.removeAttribute("aria-label");

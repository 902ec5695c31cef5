// The button that tells others of a page: the device's own way to share, else the address is copied.
const share = async (button) => {
  const { shareTitle: title, shareUrl: url, shareDone: done } = button.dataset;
  try {
    if (navigator.share) return await navigator.share({ title, url });
    await navigator.clipboard.writeText(url);
    document.querySelector(".t-share-told").textContent = done;
  } catch (refused) {
    if (refused.name !== "AbortError") document.querySelector(".t-share-told").textContent = url;
  }
};

for (const button of document.querySelectorAll("[data-share-url]")) {
  button.parentElement.hidden = false;
  button.addEventListener("click", () => share(button));
}

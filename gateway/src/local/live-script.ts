/**
 * The page's only script. It renews the marked parts every two seconds, leaves alone whatever the reader is typing in or
 * tabbing through, says so when the gateway stops answering, and loads the page anew when the session has ended. It says
 * of itself that no person asked. Without scripts the page renews itself as a whole.
 */
export const LIVE_SCRIPT = `"use strict";
(() => {
  const parts = (page) => [...page.querySelectorAll("[data-live]")];
  const banner = document.getElementById("lost");
  const renew = async () => {
    try {
      const headers = { "x-renew": "1" };
      const response = await fetch(location.href, { cache: "no-store", headers, signal: AbortSignal.timeout(3000) });
      if (!response.ok && response.status !== 401) throw new Error(String(response.status));
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = parts(page);
      const other = page.body.dataset.kind !== document.body.dataset.kind || fresh.length !== parts(document).length;
      if (other) return location.replace(location.href);
      parts(document).forEach((part, at) => {
        if (fresh[at] && !part.contains(document.activeElement)) part.replaceWith(document.adoptNode(fresh[at]));
      });
      banner.hidden = true;
      document.body.classList.remove("lost");
    } catch {
      banner.hidden = false;
      document.body.classList.add("lost");
    }
    setTimeout(renew, 2000);
  };
  setTimeout(renew, 2000);
})();
`;

/**
 * The page's only script. It renews the marked parts every two seconds, leaves alone whatever the reader is typing in or
 * tabbing through, and says so when the gateway stops answering. Without scripts the page renews itself as a whole.
 */
export const LIVE_SCRIPT = `"use strict";
(() => {
  const parts = (page) => [...page.querySelectorAll("[data-live]")];
  const banner = document.getElementById("lost");
  const renew = async () => {
    try {
      const response = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(3000) });
      if (!response.ok) throw new Error(String(response.status));
      const fresh = parts(new DOMParser().parseFromString(await response.text(), "text/html"));
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

/// <reference lib="webworker" />
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";

/**
 * Serves the shell from the cache, so that the app starts with the hub away. Values and lists never pass through
 * here: they live in IndexedDB with their time, because a cached answer without its age would look live.
 */
declare const self: ServiceWorkerGlobalScope & {
  __WB_MANIFEST: (string | { url: string; revision: string | null })[];
};

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();
registerRoute(
  new NavigationRoute(createHandlerBoundToURL("/index.html"), {
    denylist: [/^\/api\//, /^\/docs/, /^\/(livez|readyz|metrics)/],
  }),
);

// A new version waits until the person takes it: a reload in the middle of a task loses what they were doing.
self.addEventListener("message", (event) => {
  if (event.data === "take-over") void self.skipWaiting();
});
// The first version takes the open page at once, so that the very next reload already works offline.
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

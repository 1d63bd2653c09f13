/** A newer version of this app waits until the person takes it, so that nobody loses what they are doing. */
export class AppUpdate {
  ready = $state(false);
  #waiting: ServiceWorker | null = null;

  /** Without a secure context there is no service worker; the app then works, only not offline. */
  async register(): Promise<void> {
    if (!("serviceWorker" in navigator) || !import.meta.env.PROD) return;
    try {
      const registration = await navigator.serviceWorker.register("/service-worker.js");
      this.#watch(registration);
    } catch {
      return;
    }
  }

  take(): void {
    // Reload only when the new version holds the page, or the old one would answer once more.
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    this.#waiting?.postMessage("take-over");
  }

  #watch(registration: ServiceWorkerRegistration): void {
    const offer = (worker: ServiceWorker | null) => {
      // The very first version has nothing to replace.
      if (worker === null || navigator.serviceWorker.controller === null) return;
      this.#waiting = worker;
      this.ready = true;
    };
    offer(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const worker = registration.installing;
      worker?.addEventListener("statechange", () => {
        if (worker.state === "installed") offer(worker);
      });
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void registration.update().catch(() => undefined);
    });
  }
}

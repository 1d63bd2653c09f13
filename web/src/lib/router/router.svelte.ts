import { formatRoute, isHubPath, parseRoute, type Route } from "./route.ts";

/**
 * The browser's history as one rune. Links stay plain `<a href>`: a click with a modifier key, on another origin or
 * on a path of the hub itself is left to the browser.
 */
export class Router {
  route: Route = $state.raw({ view: "overview" });

  constructor() {
    this.#read();
  }

  /** Listens until the returned function is called. */
  start(): () => void {
    const onPop = () => this.#read();
    const onClick = (event: MouseEvent) => this.#click(event);
    addEventListener("popstate", onPop);
    document.addEventListener("click", onClick);
    return () => {
      removeEventListener("popstate", onPop);
      document.removeEventListener("click", onClick);
    };
  }

  go(route: Route, how: "push" | "replace" = "push"): void {
    const address = formatRoute(route);
    if (how === "push") history.pushState(null, "", address);
    else history.replaceState(null, "", address);
    this.route = route;
  }

  #read(): void {
    this.route = parseRoute(location.pathname, new URLSearchParams(location.search));
  }

  #click(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const anchor = event.target instanceof Element ? event.target.closest("a") : null;
    if (anchor === null || anchor.target !== "" || anchor.hasAttribute("download")) return;
    const url = new URL(anchor.href);
    if (url.origin !== location.origin || isHubPath(url.pathname)) return;
    event.preventDefault();
    if (url.pathname + url.search === location.pathname + location.search) return;
    history.pushState(null, "", url.pathname + url.search);
    this.#read();
  }
}

import "./app.css";
import { systemClock, systemRandom } from "@millrace/contract/std/clock";
import { mount } from "svelte";
import App from "./App.svelte";
import { SessionController } from "./lib/features/session/session-controller.svelte.ts";
import { StepUp } from "./lib/features/session/step-up.svelte.ts";
import { HubClient } from "./lib/hub/client.ts";
import { PlantLists } from "./lib/hub/plant-lists.svelte.ts";
import { PlantLive } from "./lib/hub/plant-live.svelte.ts";
import { OfflineStore } from "./lib/offline/store.ts";
import { Router } from "./lib/router/router.svelte.ts";
import { Theme } from "./lib/ui/theme.svelte.ts";
import { AppUpdate } from "./lib/update/app-update.svelte.ts";

const clock = systemClock;
const store = new OfflineStore();
const stepUp = new StepUp();
const client = new HubClient({
  fetch: (input, init) => fetch(input, init),
  clock,
  showWho: (why) => stepUp.ask(why),
  onTurnedAway: () => void session.check(),
});
const session: SessionController = new SessionController({ client, store, clock });
const lists = new PlantLists({ client, clock, store });
const live = new PlantLive({
  clock,
  random: systemRandom,
  url: `${location.origin.replace(/^http/, "ws")}/api/v1/live`,
  onRefused: () => void session.check(),
  // The hub is back: what it knows now may differ, and an offline session may have ended meanwhile.
  onHeard: () => {
    void session.check();
    void lists.reload();
  },
});
const update = new AppUpdate();
const theme = new Theme();

mount(App, {
  target: document.getElementById("app")!,
  props: {
    services: { clock, client, live, lists, store, session, stepUp, router: new Router(), update, theme },
  },
});
void update.register();
void session.check();

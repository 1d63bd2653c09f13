import type { Clock } from "@millrace/contract/std/clock";
import { createContext } from "svelte";
import type { SessionController } from "./features/session/session-controller.svelte.ts";
import type { StepUp } from "./features/session/step-up.svelte.ts";
import type { HubClient } from "./hub/client.ts";
import type { PlantLists } from "./hub/plant-lists.svelte.ts";
import type { PlantLive } from "./hub/plant-live.svelte.ts";
import type { OfflineStore } from "./offline/store.ts";
import type { Router } from "./router/router.svelte.ts";
import type { Theme } from "./ui/theme.svelte.ts";
import type { AppUpdate } from "./update/app-update.svelte.ts";

/** What `main.ts` makes once and every component may use. */
export interface Services {
  clock: Clock;
  client: HubClient;
  live: PlantLive;
  lists: PlantLists;
  store: OfflineStore;
  session: SessionController;
  stepUp: StepUp;
  router: Router;
  update: AppUpdate;
  theme: Theme;
}

export const [useServices, provideServices] = createContext<Services>();

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
import type { TestId } from "../../web/src/lib/test-id.ts";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

export const TABLET = { width: 1280, height: 800 };
export const TABLET_PORTRAIT = { width: 820, height: 1180 };
export const PHONE = { width: 390, height: 844 };

/**
 * Debian's Chromium, told not to look for its maker's hosts: a plant network has none of them.
 * @param names as `--host-resolver-rules`: names that lead to this machine
 * @param trusting an authority it takes as a person's own browser does after the trust page, PEM; kept in `home`
 */
export async function openBrowser({
  trusting,
  home,
  names,
}: {
  trusting?: string;
  home?: string;
  names?: string;
} = {}): Promise<Browser> {
  if (trusting !== undefined && home !== undefined) installAuthority(home, trusting);
  return await chromium.launch({
    executablePath: CHROMIUM,
    ...(home === undefined ? {} : { env: { ...process.env, HOME: home } as Record<string, string> }),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...(names === undefined ? [] : [`--host-resolver-rules=${names}`]),
    ],
  });
}

/** Puts an authority among those Chromium trusts on Linux. @throws Error with what `certutil` says */
function installAuthority(home: string, pem: string): void {
  const store = join(home, ".pki", "nssdb");
  mkdirSync(store, { recursive: true });
  const file = join(home, "authority.pem");
  writeFileSync(file, pem);
  for (const args of [
    ["-N", "--empty-password"],
    ["-A", "-n", "Millrace hub authority", "-t", "C,,", "-i", file],
  ]) {
    const run = Bun.spawnSync(["certutil", "-d", `sql:${store}`, ...args]);
    if (run.exitCode !== 0) throw new Error(`certutil: ${run.stderr.toString()}`);
  }
}

/** A person with a screen of their own, who sees every page error as a failure. */
export class Person {
  readonly errors: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("console", (message) => {
      // What the browser itself says of a refused or lost request is part of an outage, not of the page.
      if (
        message.type() === "error" &&
        !/Failed to load resource|WebSocket connection|net::ERR/.test(message.text())
      ) {
        this.errors.push(message.text());
      }
    });
  }

  static async arrive(
    browser: Browser,
    viewport = TABLET,
    colorScheme: "light" | "dark" = "light",
  ): Promise<Person> {
    const context = await browser.newContext({ viewport, colorScheme, serviceWorkers: "allow" });
    return new Person(context, await context.newPage());
  }

  find(id: TestId, scope: Page | Locator = this.page): Locator {
    return scope.locator(`[data-testid="${id}"]`);
  }

  /** The row of one tag in the list, by its path. */
  tagRow(path: string): Locator {
    return this.page.locator(`[data-testid="tag-row"][data-tag-path="${path}"]`);
  }

  /** What the value cell of a tag says about itself: live, stale, bad, ... */
  async valueState(path: string): Promise<string | null> {
    return this.find("value-cell", this.tagRow(path)).first().getAttribute("data-state");
  }

  /** Kept only when a folder for pictures is named. */
  async picture(name: string): Promise<void> {
    const folder = process.env.MILLRACE_PICTURES;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`) });
  }
}

export const ADMIN = { name: "Ada Berg", email: "ada@plant.example", password: "a long plant password" };

/** First set-up through the printed link, as the first administrator does it. */
export async function setUp(person: Person, setupLink: string): Promise<void> {
  await person.page.goto(setupLink);
  await person.find("setup-name").fill(ADMIN.name);
  await person.find("setup-email").fill(ADMIN.email);
  await person.find("setup-password").fill(ADMIN.password);
  await person.find("setup-submit").click();
  await person.find("setup-next").waitFor();
}

export async function signIn(person: Person, hubUrl: string): Promise<void> {
  await person.page.goto(hubUrl);
  await person.find("sign-in-email").fill(ADMIN.email);
  await person.find("sign-in-password").fill(ADMIN.password);
  await person.find("sign-in-submit").click();
  await person.find("overview").waitFor();
}

/** Comes in by an invitation or a reset link, with a password of their own. */
export async function joinByPassword(person: Person, link: string, password: string): Promise<void> {
  await person.page.goto(link);
  await person.find("invitation-by-password").click();
  await person.find("invitation-password").fill(password);
  await person.find("invitation-submit").click();
  await person.page.locator("main#main").waitFor();
}

/** Looks again until it holds. @throws Error with the last finding when the time is over. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T>,
  holds: (found: T) => boolean,
  withinMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let found: T | undefined;
  let trouble = "";
  while (performance.now() < deadline) {
    try {
      found = await look();
      if (holds(found)) return found;
    } catch (error) {
      trouble = (error as Error).message;
    }
    await Bun.sleep(100);
  }
  throw new Error(`${what}: not within ${withinMs} ms; last found ${JSON.stringify(found)} ${trouble}`);
}

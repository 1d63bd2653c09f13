import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { Stack, type StackOptions } from "../stack/stack.ts";
import { openBrowser, Person, setUp, TABLET } from "./browser.ts";

/** What a story needs: the real stack in a folder of its own, and a browser. */
export interface Scene {
  stack: Stack;
  browser: Browser;
  /** Also after a start that failed half way. */
  close(): Promise<void>;
}

/** @param name of the folder, so that what a failed story left can be told apart */
export async function openScene(name: string, options: Omit<StackOptions, "folder"> = {}): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), `millrace-${name}-`));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  let stack: Stack | null = null;
  try {
    stack = await Stack.start({ folder, ...options });
    const started = stack;
    const { authority } = stack.api;
    const browser = await openBrowser(
      authority === null ? {} : { trusting: authority, home: join(folder, "home") },
    );
    return {
      stack,
      browser,
      async close() {
        await browser.close();
        await started.stop();
        removeFolder();
      },
    };
  } catch (thrown) {
    await stack?.stop();
    removeFolder();
    throw thrown;
  }
}

/** The same with Ada, who has just set the hub up, at a tablet. */
export async function openSceneWithAda(
  name: string,
  options: Omit<StackOptions, "folder"> = {},
): Promise<Scene & { ada: Person }> {
  const scene = await openScene(name, options);
  try {
    const ada = await Person.arrive(scene.browser, TABLET);
    await setUp(ada, scene.stack.setupLink!);
    return { ...scene, ada };
  } catch (thrown) {
    await scene.close();
    throw thrown;
  }
}

import { expect } from "bun:test";
import { AxeBuilder } from "@axe-core/playwright";
import { type Person, PHONE, TABLET } from "./browser.ts";

/** Looks at a screen as it is on a tablet in the light and on a phone in the dark: axe finds nothing, nothing overflows. */
export async function isClean(person: Person, name: string): Promise<void> {
  for (const [size, viewport, colorScheme] of [
    ["tablet", TABLET, "light"],
    ["phone", PHONE, "dark"],
  ] as const) {
    await person.page.setViewportSize(viewport);
    await person.page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page: person.page }).analyze();
    const wider = await person.page.evaluate("document.documentElement.scrollWidth - innerWidth");
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
    expect([name, size, found, wider]).toEqual([name, size, [], 0]);
    await person.picture(`people-${name}-${size}-${colorScheme}`);
  }
  await person.page.setViewportSize(TABLET);
  await person.page.emulateMedia({ colorScheme: "light" });
}

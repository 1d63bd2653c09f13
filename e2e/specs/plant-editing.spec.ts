import { afterAll, beforeAll, expect, test } from "bun:test";
import { AxeBuilder } from "@axe-core/playwright";
import type { Device, Profile, Tag } from "@millrace/contract/api/plant";
import type { Browser } from "playwright-core";
import type { Stack } from "../stack/stack.ts";
import { eventually, Person, PHONE, TABLET, TABLET_PORTRAIT } from "./browser.ts";
import { openSceneWithAda, type Scene } from "./scene.ts";

/** The configuration by screen, on the real stack: a first device, a change of many tags, two people, the way back. */

let scene: Scene | undefined;
let stack: Stack;
let browser: Browser;
let ada: Person;
let press: Device;
let pressTags: Tag[];

beforeAll(async () => {
  const opened = await openSceneWithAda("plant");
  scene = opened;
  ({ stack, browser, ada } = opened);
  press = (await stack.api.all<Device>("/devices")).find(({ name }) => name === "Press 1")!;
  pressTags = await stack.api.all<Tag>(`/tags?deviceId=${press.id}`);
}, 120_000);

afterAll(() => scene?.close(), 60_000);

const setting = (person: Person, name: string) =>
  person.page.locator(`[data-testid="setting"][data-setting="${name}"]`);
async function type(person: Person, name: string, text: string): Promise<void> {
  if (!(await setting(person, name).isVisible())) await person.page.getByText("More settings").click();
  await setting(person, name).fill(text);
}
const cell = (row: number, field: string) =>
  ada.page.locator(`[data-testid="tag-table"] [data-row="${row}"] [data-field="${field}"]`);

/** What keeps somebody out of a screen, by rule and place. */
async function axeOf({ page }: Person): Promise<[rule: string, html: string | undefined][]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, nodes }) => [id, nodes[0]?.html]);
}

async function fillTag(row: number, tag: Tag, name: string): Promise<void> {
  await cell(row, "name").fill(name);
  await cell(row, "address").fill(tag.address);
  await cell(row, "dataType").selectOption(tag.dataType);
  await cell(row, "unit").fill(tag.unit);
}

test("a first real device is added by screen, and its values are live", async () => {
  const beganMs = performance.now();
  await ada.page.goto(`${stack.hubUrl}/more`);
  await ada.find("open-plant").click();
  await ada.find("device-add").click();
  await ada.find("device-name").fill("Test stand");
  await type(ada, "port", String(press.settings.port));
  await ada.page.getByText("Find it in the network").click();
  await ada.find("network-text").fill("127.0.0.0/28");
  await ada.find("network-search").click();
  await ada.find("network-take").first().click();
  expect(await setting(ada, "host").inputValue()).toBe("127.0.0.1");
  await ada.picture("plant-network");
  await type(ada, "host", String(press.settings.host));
  await type(ada, "port", String(press.settings.port));
  await type(ada, "unit", String(press.settings.unit));
  await ada.find("profile-name").fill("Test stand press");
  await fillTag(0, pressTags[0]!, "First");
  await ada.find("tag-add").click();
  await fillTag(1, pressTags[1]!, "Second");
  await ada.find("try-run").click();
  await ada
    .find("try-out")
    .getByText(/One cycle takes \d requests?/)
    .waitFor();
  await eventually(
    "both values read",
    () => ada.find("try-out").locator('li[data-quality="good"]').count(),
    (count) => count === 2,
  );
  await ada.picture("plant-try");
  await ada.find("device-publish").click();
  await ada.page.waitForURL(/\/tags\?device=/);
  await eventually(
    "both values live",
    async () =>
      Promise.all((await ada.find("value-cell").all()).map((cell) => cell.getAttribute("data-state"))),
    (states) => states.length === 2 && states.every((state) => state === "live"),
  );
  console.log(
    `from More to live values of a new device: ${((performance.now() - beganMs) / 1_000).toFixed(1)} s`,
  );
  await ada.picture("plant-live");
}, 60_000);

test("what is wrong is said at its field before anything is sent", async () => {
  await ada.page.goto(`${stack.hubUrl}/plant/devices/new`);
  await ada.find("device-name").fill("a/b");
  await type(ada, "port", "99999");
  await cell(0, "name").fill("X");
  await cell(0, "address").fill("holding:x");
  await cell(0, "unit").focus();
  await ada.find("device-publish").click();
  const form = await ada.find("device-form").innerText();
  for (const words of ["without + # $ /", "whole number 1 to 65535", "Something is still missing"])
    expect(form).toContain(words);
  await ada.picture("plant-wrong");
}, 30_000);

test("what the display says is found on the machine, and becomes a tag", async () => {
  const setpoint = pressTags.find(({ name }) => name === "Oil temperature setpoint")!;
  const profile = (await stack.api.all<Profile>("/profiles")).find(
    ({ name }) => name === "Test stand press",
  )!;
  await ada.page.goto(`${stack.hubUrl}/plant/profiles/${profile.id}`);
  await ada.page.getByText("What does the display say?").click();
  await ada.find("display-around").fill("holding:4");
  await ada.find("display-number").fill("52");
  await ada.find("display-search").click();
  const found = ada.find("display-finder").locator("li").filter({ hasText: setpoint.address });
  await found.first().waitFor();
  await ada.picture("plant-display");
  await ada.find("display-take", found.first()).click();
  expect(await cell(2, "address").inputValue()).toContain(setpoint.address);
  await cell(2, "name").fill("Setpoint");
  await cell(2, "unit").fill("°C");
  await ada.page.getByLabel("Choose Setpoint").check();
  const rule = (field: string) => ada.find("write-rules").locator(`[data-field="${field}"]`);
  await rule("writable").check();
  await rule("min").fill("20");
  await ada.find("write-rules").getByText("A number needs min and max, or values.").waitFor();
  expect(await ada.find("write-rules-apply").isDisabled()).toBe(true);
  await rule("max").fill("90");
  await rule("class").selectOption("2");
  expect(await axeOf(ada)).toEqual([]);
  await ada.find("write-rules").scrollIntoViewIfNeeded();
  await ada.picture("plant-write-rules");
  await ada.find("write-rules-apply").click();
  await ada.find("profile-publish").click();
  await ada.page.getByText("Published. Its devices follow at once.").waitFor();
  const { tags } = await stack.api.get<Profile>(`/profiles/${profile.id}`);
  expect(tags.map(({ write }) => write)).toEqual([undefined, undefined, { class: 2, min: 20, max: 90 }]);
}, 30_000);

test("many tags are changed together, and the change reaches the gateway", async () => {
  const profile = (await stack.api.all<Profile>("/profiles")).find(
    ({ name }) => name === "Test stand press",
  )!;
  await ada.page.goto(`${stack.hubUrl}/plant/profiles/${profile.id}`);
  await ada.page.getByRole("button", { name: "Choose all" }).click();
  await ada.page.locator('[data-testid="tags-together"] [data-field="scanMs"]').fill("500");
  await ada.find("tags-apply").click();
  await ada.picture("plant-profile");
  await ada.find("profile-publish").click();
  await ada.page.getByText("Published. Its devices follow at once.").waitFor();
  const changed = (await stack.api.all<Tag>("/tags")).filter(({ path }) => path.includes("Test stand"));
  expect(changed.map(({ scanMs }) => scanMs)).toEqual([500, 500, 500]);
}, 30_000);

test("a list of tags from a file: each wrong cell is named, then all of it is taken at once", async () => {
  const rows = Array.from({ length: 300 }, (_, i) => `Value ${i},holding:${100 + i},uint16,bar`);
  const csv = (lines: readonly string[]) => ["name,address,dataType,unit", ...lines].join("\n");
  const choose = (text: string) =>
    ada
      .find("file-choose")
      .setInputFiles({ name: "tags.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
  await ada.page.goto(`${stack.hubUrl}/plant/files`);
  await choose(csv([...rows.slice(0, 10), "Value 3,holding:x,uint61,bar", ...rows.slice(10)]));
  await ada.find("file-profile").selectOption("Test stand press");
  await ada.find("file-look").click();
  await ada.find("file-problems").getByText("Row 12").first().waitFor();
  await ada.picture("plant-file-wrong");
  await choose(csv(rows));
  await ada.find("file-look").click();
  await ada.page.getByText("It would change: 1 changed").waitFor();
  await ada.find("file-publish").click();
  await ada.page.getByText(/Published as version/).waitFor();
  await ada.picture("plant-file-done");
  const profile = (await stack.api.all<Profile>("/profiles")).find(
    ({ name }) => name === "Test stand press",
  )!;
  expect(profile.tags).toHaveLength(303);
}, 30_000);

test("what is prepared waits as a draft, and is published on purpose", async () => {
  const profile = (await stack.api.all<Profile>("/profiles")).find(
    ({ name }) => name === "Test stand press",
  )!;
  await ada.page.goto(`${stack.hubUrl}/plant/profiles/${profile.id}`);
  await ada.page.getByLabel("Search tags").fill("Value ");
  await ada.page.getByRole("button", { name: "Choose all" }).click();
  await ada.page.getByRole("button", { name: "Remove 300 tags" }).click();
  await ada.find("draft-keep").click();
  const draft = ada.find("draft-row").filter({ hasText: "Test stand press changed" });
  await draft.getByRole("button").first().click();
  await draft.getByText("It would change now: 1 changed").waitFor();
  await ada.picture("plant-draft");
  await ada.find("draft-edit", draft).click();
  await ada.page.getByText("You edit the draft").waitFor();
  await ada.page.getByRole("group", { name: "First" }).getByLabel("Unit").fill("open");
  await ada.find("draft-keep").click();
  await draft.getByRole("button").first().click();
  await draft.getByText("It would change now: 1 changed").waitFor();
  expect((await stack.api.get<Profile>(`/profiles/${profile.id}`)).tags).toHaveLength(303);
  await ada.find("draft-publish", draft).click();
  await draft.waitFor({ state: "detached" });
  const published = await stack.api.get<Profile>(`/profiles/${profile.id}`);
  expect(published.tags).toHaveLength(3);
  expect(published.tags[0]).toMatchObject({ unit: "open" });
}, 30_000);

test("two people at one device: the second is told, and nothing is overwritten", async () => {
  const bob = await Person.arrive(browser, PHONE, "dark");
  await bob.context.addCookies(await ada.context.cookies());
  const device = (await stack.api.all<Device>("/devices")).find(({ name }) => name === "Test stand")!;
  for (const person of [ada, bob]) {
    await person.page.goto(`${stack.hubUrl}/plant/devices/${device.id}`);
    await person.find("device-name").waitFor();
  }
  await type(ada, "timeoutMs", "700");
  await ada.find("device-publish").click();
  await eventually(
    "Ada's change stored",
    async () => (await stack.api.get<Device>(`/devices/${device.id}`)).settings.timeoutMs,
    (timeoutMs) => timeoutMs === 700,
  );
  await type(bob, "timeoutMs", "900");
  await bob.find("device-publish").click();
  await bob.page.locator('[data-testid="problem"][data-code="entity.conflict"]').waitFor();
  await bob.picture("plant-conflict-phone-dark");
  expect((await stack.api.get<Device>(`/devices/${device.id}`)).settings.timeoutMs).toBe(700);
  await bob.find("device-reload").click();
  await eventually(
    "what Ada saved on Bob's screen",
    () => setting(bob, "timeoutMs").inputValue(),
    (value) => value === "700",
  );
  await bob.context.close();
}, 60_000);

test("versions tell what changed, and one action goes back", async () => {
  await ada.page.goto(`${stack.hubUrl}/plant/versions`);
  const newest = ada.find("version-row").first();
  await newest.getByRole("button").first().click();
  await newest.getByText("settings.timeoutMs").waitFor();
  await ada.picture("plant-versions");
  const added = ada.find("version-row").filter({ hasText: "Device Test stand added" });
  await added.getByRole("button").first().click();
  await ada.find("version-look", added).click();
  await ada.find("version-go-back", added).waitFor();
  await ada.picture("plant-back");
  await ada.find("version-go-back", added).click();
  await ada.page
    .getByText(/Back to version/)
    .first()
    .waitFor();
  const device = (await stack.api.all<Device>("/devices")).find(({ name }) => name === "Test stand")!;
  expect(device.settings.timeoutMs).toBeUndefined();
}, 30_000);

test("a place is renamed with everything in it; any two versions are compared; a kind is doubled", async () => {
  const before = (await stack.api.all<Tag>("/tags")).filter(({ path }) => path.includes("/Utilities/"));
  await ada.page.goto(`${stack.hubUrl}/plant/places`);
  const row = ada.page.locator('[data-testid="place-row"][data-path="Demo plant/Utilities"]');
  await row.getByRole("button").first().click();
  await ada.find("place-rename", row).fill("Energy");
  await ada.picture("plant-places");
  await ada.find("place-save", row).click();
  await ada.page.locator('[data-testid="place-row"][data-path="Demo plant/Energy"]').waitFor();
  const after = (await stack.api.all<Tag>("/tags")).filter(({ path }) => path.includes("/Energy/"));
  expect(after.map(({ tagNo }) => tagNo).sort()).toEqual(before.map(({ tagNo }) => tagNo).sort());
  await ada.page.goto(`${stack.hubUrl}/plant/versions`);
  const compare = ada.find("version-compare");
  await compare.getByLabel("Compare version").fill("1");
  await compare.getByRole("button", { name: "Compare" }).click();
  await compare.getByText(/From version 1 to \d+: \d+ added/).waitFor();
  await ada.picture("plant-compare");
  const profile = (await stack.api.all<Profile>("/profiles")).find(
    ({ name }) => name === "Test stand press",
  )!;
  await ada.page.goto(`${stack.hubUrl}/plant/profiles/${profile.id}`);
  await ada.find("profile-clone").click();
  await ada.page.getByRole("heading", { name: "Test stand press copy" }).waitFor();
  await ada.page.goto(`${stack.hubUrl}/plant/places`);
  const back = ada.page.locator('[data-testid="place-row"][data-path="Demo plant/Energy"]');
  await back.getByRole("button").first().click();
  await ada.find("place-rename", back).fill("Utilities");
  await ada.find("place-save", back).click();
  await ada.page.locator('[data-testid="place-row"][data-path="Demo plant/Utilities"]').waitFor();
}, 30_000);

test("a rollout is seen as it goes, and a person stops it", async () => {
  const profile = (await stack.api.all<Profile>("/profiles")).find(
    ({ name }) => name === "Test stand press",
  )!;
  const { driver, tags } = profile;
  const slower = tags.map((tag) => ({ ...tag, scanMs: 2_000 }));
  await stack.api.post("/rollouts", {
    document: { millrace: 1, profiles: { [profile.name]: { driver, tags: slower } } },
    comment: "Read the test stand more seldom",
    observeS: 600,
  });
  await ada.page.goto(`${stack.hubUrl}/plant/rollouts`);
  await ada.page.getByText("Gateway 1 is watched").waitFor();
  await ada.picture("plant-rollout");
  await ada.page.getByRole("button", { name: "Stop…" }).click();
  await ada.page.getByRole("button", { name: "Stop it and take it back everywhere" }).click();
  await ada.page.getByText(/Taken back everywhere/).waitFor();
  const after = await stack.api.get<Profile>(`/profiles/${profile.id}`);
  expect(after.tags.some(({ scanMs }) => scanMs === 2_000)).toBe(false);
}, 60_000);

test("what differs between machines of a kind is declared once and said by each; hours in one line", async () => {
  const device = (await stack.api.all<Device>("/devices")).find(({ name }) => name === "Test stand")!;
  const address = pressTags[0]!.address;
  const [area, first] = address.split(":") as [string, string];
  await ada.page.goto(`${stack.hubUrl}/plant/profiles/${device.profileId}`);
  await ada.page.getByText("What differs between its devices").click();
  await ada.find("parameter-add").click();
  await ada.find("parameter-name").fill("first one");
  await ada.page.getByText("is no name of a parameter").waitFor();
  await ada.find("parameter-name").fill("first");
  await ada.find("parameter-standard").fill("7");
  await cell(0, "address").fill(`${area}:{first+1}`);
  await ada.picture("plant-parameters");
  await ada.find("profile-publish").click();
  await ada.page.getByText("Published. Its devices follow at once.").waitFor();

  await ada.page.goto(`${stack.hubUrl}/plant/devices/${device.id}`);
  const value = ada.page.locator('[data-testid="parameter"][data-parameter="first"]');
  expect(await value.getAttribute("placeholder")).toBe("7");
  await value.fill("x");
  await ada.page.getByText("needs a whole number").waitFor();
  expect(await ada.find("device-publish").isDisabled()).toBe(true);
  await value.fill(String(Number(first) - 1));
  await ada.find("device-hours").fill("mon-fri 06:00-22:00");
  await ada.page.getByText("The time zone is missing at the end").waitFor();
  await ada.find("device-hours").fill("mon-fri 06:00-22:00; sat 22:00-06:00 Europe/Berlin");
  await ada.find("try-run").click();
  await ada
    .find("try-out")
    .getByText(/One cycle takes/)
    .waitFor();
  await ada.picture("plant-values");
  await ada.find("device-publish").click();
  const saved = await eventually(
    "values and hours stored",
    () => stack.api.get<Device>(`/devices/${device.id}`),
    ({ hours, parameters }) => hours?.days.sat?.[0] === "22:00-06:00" && parameters !== undefined,
  );
  expect(saved.parameters).toEqual({ first: Number(first) - 1 });
  const tags = await stack.api.all<Tag>(`/tags?deviceId=${device.id}`);
  expect(tags.map((tag) => tag.address)).toContain(address);
}, 60_000);

test("nothing on these screens keeps anybody out, in light and dark, on tablet and phone", async () => {
  const device = (await stack.api.all<Device>("/devices")).find(({ name }) => name === "Test stand")!;
  const paths = [
    "/plant",
    "/plant/devices/new",
    `/plant/devices/${device.id}`,
    "/plant/profiles",
    `/plant/profiles/${device.profileId}`,
    "/plant/versions",
    "/plant/rollouts",
    "/plant/drafts",
    "/plant/files",
    "/plant/places",
  ];
  for (const [name, size, scheme] of [
    ["tablet", TABLET, "light"],
    ["portrait", TABLET_PORTRAIT, "dark"],
    ["phone", PHONE, "dark"],
  ] as const) {
    const eve = await Person.arrive(browser, size, scheme);
    await eve.context.addCookies(await ada.context.cookies());
    for (const path of paths) {
      await eve.page.goto(stack.hubUrl + path);
      await eve.find("plant").waitFor();
      await eve.page.waitForLoadState("networkidle");
      await eve.picture(
        `plant${path.replace(device.id, "one").replace(device.profileId, "one").replaceAll("/", "-")}-${name}-${scheme}`,
      );
      expect([path, name, scheme, await axeOf(eve)]).toEqual([path, name, scheme, []]);
      const wide = await eve.page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
      expect([path, name, wide]).toEqual([path, name, 0]);
    }
    expect(eve.errors).toEqual([]);
    await eve.context.close();
  }
}, 120_000);

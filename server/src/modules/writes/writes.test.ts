import { expect, test } from "bun:test";
import type { TagWrite, WritesOfDevice, WritesOfTag } from "@millrace/contract/api/write";
import { systemClock } from "@millrace/contract/std/clock";
import { WRITE_MS } from "@millrace/contract/wire/command";
import { writePlant } from "../../../test/write-plant.ts";
import { verifyAudit } from "../audit/service.ts";

/** From the choice of a value to what the machine holds: the hub's part, with a gateway the test plays. */

type Plant = Awaited<ReturnType<typeof writePlant>>;

const audited = async ({ hub }: Plant, action: string) => [
  ...((await hub.database
    .sql`SELECT who, subject, old, new FROM audit WHERE action = ${action} ORDER BY no`) as {
    who: string;
    subject: string;
    old: Record<string, unknown> | null;
    new: Record<string, unknown>;
  }[]),
];

const heard = ({ fake }: Plant) => fake.heard.filter(({ type }) => type === "command").length;

async function until(reached: () => Promise<boolean>): Promise<void> {
  const endMs = systemClock.monoMs() + 5_000;
  while (!(await reached())) {
    if (systemClock.monoMs() > endMs) throw new Error("waited in vain");
    await systemClock.sleep(5);
  }
}

test("chosen, carried out, told: the gateway gets it signed, both values and the name are kept", async () => {
  await using p = await writePlant();
  const ada = await p.person("Ada");
  const { status, body: chosen } = await ada.select("Pressure", 61.5);
  expect(status).toBe(201);
  expect(chosen).toMatchObject({ class: 1, value: 61.5, expected: 5, state: "selected", selectedBy: "Ada" });
  expect(heard(p)).toBe(0);
  const executing = ada.execute(chosen);
  const offer = await p.fake.next("command");
  expect(offer.command.body).toEqual({
    kind: "writeTag",
    tagNo: p.tagOf("Pressure"),
    value: 61.5,
    expected: 5,
    by: ["Ada"],
  });
  expect(offer.command.expiresMs - offer.command.notBeforeMs!).toBe(WRITE_MS);
  expect([p.isSigned(offer), p.isSigned(offer, crypto.randomUUID())]).toEqual([true, false]);
  await p.answer(offer.command.commandId, "done", { after: 61.5, armedBy: "Grace" });
  const { body: done } = await executing;
  expect(done).toMatchObject({ state: "done", before: 5, after: 61.5, armedBy: "Grace", code: "" });
  const { body } = await p.hub.call<WritesOfTag>("GET", `/api/v1/tags/${chosen.tagNo}/writes`);
  expect(body.items).toEqual([done]);
  expect(body.gate).toMatchObject({ connected: true, lockedOut: null, needsArming: false });
  const ofDevice = await p.hub.call<WritesOfDevice>("GET", `/api/v1/devices/${p.gateway.deviceId}/writes`);
  expect(ofDevice.body.items).toEqual([done]);
  await until(async () => (await audited(p, "tag.written")).length > 0);
  expect((await audited(p, "tag.write"))[0]).toMatchObject({
    subject: `tag:${chosen.tagNo}`,
    new: { requestedBy: "Ada" },
  });
  expect(await audited(p, "tag.written")).toMatchObject([
    {
      who: `gateway:${p.gateway.id}`,
      subject: `tag:${chosen.tagNo}`,
      old: { value: 5 },
      new: { outcome: "done", value: 61.5, after: 61.5, selectedBy: "Ada", armedBy: "Grace" },
    },
  ]);
  expect(await verifyAudit(p.hub.database.db)).toBeNull();
});

test("S25: without the right, on a tag that is not writable or beyond its limits: 403, in the audit, nothing sent", async () => {
  await using p = await writePlant();
  const [viewer, ada] = [await p.person("Vic", "viewer"), await p.person("Ada")];
  const codes = async (of: ReturnType<typeof viewer.select>) => {
    const { status, body } = await of;
    return [status, body.code];
  };
  expect(await codes(viewer.select("Pressure", 50))).toEqual([403, "auth.forbidden"]);
  expect(await codes(ada.select("Level", 50))).toEqual([403, "write.off"]);
  for (const value of [100.5, -1, "50", true, null])
    expect(await codes(ada.select("Pressure", value))).toEqual([403, "write.limits"]);
  // Nor by the way on which gateways are restarted.
  const body = { kind: "writeTag", tagNo: p.tagOf("Pressure"), value: 50, expected: 5, by: ["Ada"] };
  const past = await p.hub.call("POST", `/api/v1/gateways/${p.gateway.id}/commands`, body);
  expect(past.status).toBe(422);
  expect(heard(p)).toBe(0);
  await until(async () => (await audited(p, "write.refused")).length > 1);
  const refused = await audited(p, "write.refused");
  expect(refused.every(({ who }) => who.startsWith("person:"))).toBe(true);
  expect(refused.map((row) => row.new.code)).toContain("write.off");
});

test("S25: somebody who may write elsewhere finds no such tag here", async () => {
  await using p = await writePlant();
  const site = await p.hub.call<{ id: string }>("POST", "/api/v1/sites", {
    name: "Else",
    kind: "site",
    parentId: null,
  });
  const eve = await p.person("Eve", "operator", site.body.id);
  expect((await eve.select("Pressure", 50)).status).toBe(404);
  const ada = await p.person("Ada");
  const { body: chosen } = await ada.select("Pressure", 50);
  expect([(await eve.execute(chosen)).status, (await eve.agree(chosen)).status]).toEqual([404, 404]);
  expect(heard(p)).toBe(0);
});

test("S26: a choice is its maker's, counts once, and not after its time", async () => {
  await using p = await writePlant();
  const [ada, bob] = [await p.person("Ada"), await p.person("Bob")];
  const { body: first } = await ada.select("Pressure", 50);
  expect((await bob.execute(first)).body.code).toBe("write.selection");
  const both = [ada.execute(first), ada.execute(first)];
  const offer = await p.fake.next("command");
  await p.answer(offer.command.commandId, "done");
  const states = (await Promise.all(both)).map(({ status }) => status).sort();
  expect(states).toEqual([200, 409]);
  expect((await ada.execute(first)).body.code).toBe("write.selection");
  const { body: second } = await ada.select("Pressure", 51);
  await p.hub.database
    .sql`UPDATE tag_write SET expires_at = now() - interval '1 second' WHERE id = ${second.id}`;
  expect((await ada.execute(second)).body.code).toBe("write.selection");
  expect(heard(p)).toBe(1);
});

test("class 2 asks who it is after the choice was made, and a program cannot say", async () => {
  await using p = await writePlant();
  const ada = await p.person("Ada");
  const { body: chosen } = await ada.select("Speed", 7);
  expect(chosen.class).toBe(2);
  const refused = await ada.execute(chosen);
  expect([refused.status, refused.body.code]).toEqual([403, "write.proof"]);
  expect((await ada.ask("/api/v1/me/step-up/password", { password: "a wrong password" })).status).toBe(401);
  expect((await ada.execute(chosen)).body.code).toBe("write.proof");
  await ada.prove();
  const executing = ada.execute(chosen);
  await p.answer((await p.fake.next("command")).command.commandId, "done");
  expect((await executing).body.state).toBe("done");
  // What was shown for one choice does not count for the next.
  const { body: next } = await ada.select("Speed", 8);
  expect((await ada.execute(next)).body.code).toBe("write.proof");
  const program = await p.program("operator");
  const { body: own } = await program(`/api/v1/tags/${p.tagOf("Speed")}/writes`, { value: 6 });
  expect((await program(`/api/v1/tags/${own.tagNo}/writes/${own.id}/execute`)).body.code).toBe("write.proof");
  expect(heard(p)).toBe(1);
});

test("class 3 takes two people, each showing who they are; both names reach the machine and the audit", async () => {
  await using p = await writePlant();
  const [ada, bob, vic] = [await p.person("Ada"), await p.person("Bob"), await p.person("Vic", "viewer")];
  const { body: chosen } = await ada.select("Dose", 7);
  await ada.prove();
  expect((await ada.execute(chosen)).body.code).toBe("write.second");
  expect((await ada.agree(chosen)).body.code).toBe("write.second");
  expect((await vic.agree(chosen)).body.code).toBe("auth.forbidden");
  expect((await bob.agree(chosen)).body.code).toBe("write.proof");
  await bob.prove();
  expect((await bob.agree(chosen)).body).toMatchObject({ agreedBy: "Bob", state: "selected" });
  expect((await bob.agree(chosen)).body.code).toBe("write.selection");
  expect((await bob.execute(chosen)).body.code).toBe("write.selection");
  const executing = ada.execute(chosen);
  const { command } = await p.fake.next("command");
  expect(command.body).toMatchObject({ by: ["Ada", "Bob"] });
  await p.answer(command.commandId, "done", { after: 7 });
  expect((await executing).body).toMatchObject({ state: "done", selectedBy: "Ada", agreedBy: "Bob" });
  await until(async () => (await audited(p, "tag.written")).length > 0);
  expect((await audited(p, "tag.written"))[0]!.new).toMatchObject({ selectedBy: "Ada", agreedBy: "Bob" });
  expect(await audited(p, "tag.agree")).toHaveLength(1);
});

test("what is not seen is not overwritten, and nothing waits for a gateway that is away", async () => {
  await using p = await writePlant();
  const ada = await p.person("Ada");
  const { body: chosen } = await ada.select("Pressure", 50);
  p.fake[Symbol.dispose]();
  await until(async () => (await ada.select("Pressure", 50)).body.code === "command.away");
  expect((await ada.execute(chosen)).body.code).toBe("command.away");
  using _ = await p.connected(p.gateway, { commandKinds: ["restartDevice"] });
  expect((await ada.execute(chosen)).body.code).toBe("command.refused");
  expect(heard(p)).toBe(0);
  await p.hub.database.sql`UPDATE tag SET heartbeat_ms = 1000`;
  await p.hub.database
    .sql`UPDATE gateway SET health = jsonb_build_object('local', '{"lockedOut": true}'::jsonb)`;
  expect((await ada.select("Pressure", 50)).body.code).toBe("write.lockedOut");
});

test("an outcome that comes late still counts, and one that never comes is unknown in the audit, each once", async () => {
  await using p = await writePlant();
  const ada = await p.person("Ada");
  const { body: chosen } = await ada.select("Pressure", 50);
  const { body: sent } = await ada.execute(chosen);
  expect(sent).toMatchObject({ state: "sent", answeredAt: null });
  const { command } = await p.fake.next("command");
  await p.hub.database.sql`UPDATE command SET expires_at = now() - interval '1 hour'`;
  const shown = async () =>
    (await p.hub.call<TagWrite>("GET", `/api/v1/tags/${chosen.tagNo}/writes/${chosen.id}`)).body;
  expect((await shown()).state).toBe("unknown");
  // Any outcome makes the hub look.
  await p.answer(crypto.randomUUID(), "done");
  await until(async () => (await audited(p, "tag.written")).length === 1);
  await p.answer(command.commandId, "failed", { code: "write.notTaken", after: 5 });
  await until(async () => (await audited(p, "tag.written")).length === 2);
  expect(await shown()).toMatchObject({ state: "failed", code: "write.notTaken", before: 5, after: 5 });
  await p.answer(crypto.randomUUID(), "done");
  expect((await audited(p, "tag.written")).map((row) => row.new.outcome)).toEqual(["unknown", "failed"]);
});

test("the writes of a device come a page at a time, each once, and a cursor of somebody else's making is refused", async () => {
  await using p = await writePlant();
  const ada = await p.person("Ada");
  const chosen: string[] = [];
  for (const value of [40, 41, 42]) chosen.unshift((await ada.select("Pressure", value)).body.id);
  const path = `/api/v1/devices/${p.gateway.deviceId}/writes`;
  const page = async (query: string) => (await p.hub.call<WritesOfDevice>("GET", `${path}?${query}`)).body;
  const first = await page("limit=2");
  expect(first.items.map(({ id }) => id)).toEqual(chosen.slice(0, 2));
  const second = await page(`limit=2&cursor=${first.nextCursor}`);
  expect([second.items.map(({ id }) => id), second.nextCursor]).toEqual([chosen.slice(2), null]);
  const id = chosen[0]!;
  for (const key of [
    ["2026-01-01T00:00:00.000Z", "1"],
    ["1", id],
    ["0000-01-01T00:00:00.000Z", id],
    ["+012026-01-01T00:00:00.000Z", id],
  ]) {
    const forged = Buffer.from(JSON.stringify(key)).toString("base64url");
    const { status } = await p.hub.call("GET", `${path}?cursor=${forged}`);
    expect([key, status]).toEqual([key, 422]);
  }
});

test("the writes of a device are found by what became of them, each under one result", async () => {
  await using p = await writePlant();
  const ada = await p.person("Ada");
  const { sql } = p.hub.database;
  const path = `/api/v1/devices/${p.gateway.deviceId}/writes`;
  const results = async () => {
    const found: string[] = [];
    for (const result of ["done", "refused", "expired", "unknown", "pending"]) {
      const { body } = await p.hub.call<WritesOfDevice>("GET", `${path}?result=${result}`);
      for (const { state } of body.items) found.push(`${result}: ${state}`);
    }
    return found;
  };
  const { body: chosen } = await ada.select("Pressure", 50);
  expect(await results()).toEqual(["pending: selected"]);
  const executing = ada.execute(chosen);
  const { command } = await p.fake.next("command");
  expect(await results()).toEqual(["pending: sent"]);
  await p.answer(command.commandId, "failed");
  await executing;
  expect(await results()).toEqual(["refused: failed"]);
  for (const [state, told] of [
    ["stale", "refused: stale"],
    ["done", "done: done"],
    ["expired", "expired: expired"],
    ["unknown", "unknown: unknown"],
  ] as const) {
    await sql`UPDATE command SET state = ${state}`;
    expect(await results()).toEqual([told]);
  }
  await sql`UPDATE command SET state = 'sent', expires_at = now() - interval '1 hour'`;
  expect(await results()).toEqual(["unknown: unknown"]);
  expect((await p.hub.call("GET", `${path}?result=lost`)).status).toBe(422);
});

test("a momentary value taken back after its outcome was told: on the write and in the audit, once, whatever comes first", async () => {
  await using p = await writePlant();
  const ada = await p.person("Ada");
  const { body: chosen } = await ada.select("Pressure", 50);
  const executing = ada.execute(chosen);
  const { commandId } = (await p.fake.next("command")).command;
  const facts = { commandId, tagNo: chosen.tagNo, heldMs: 12_000 };
  const message = "It was taken back; it was on for up to 12 s.";
  const released = { timeMs: 0, code: "write.released", severity: "warning", message, data: facts } as const;
  const shown = async ({ tagNo, id }: TagWrite) =>
    (await p.hub.call<TagWrite>("GET", `/api/v1/tags/${tagNo}/writes/${id}`)).body;
  await p.tell([released]);
  await p.answer(commandId, "unknown");
  await executing;
  expect(await shown(chosen)).toMatchObject({ state: "unknown", release: { taken: true, message } });
  await until(async () => (await audited(p, "tag.released")).length === 1);
  const [first] = await audited(p, "tag.released");
  expect(first).toMatchObject({
    who: `gateway:${p.gateway.id}`,
    subject: `tag:${chosen.tagNo}`,
    new: { taken: true, message, commandId, selectedBy: "Ada" },
  });
  await p.hold("Pressure", 5);
  const { body: second } = await ada.select("Pressure", 51);
  const again = ada.execute(second);
  const next = (await p.fake.next("command")).command.commandId;
  await p.answer(next, "unknown", { code: "link.lost" });
  expect((await again).body).toMatchObject({ state: "unknown", code: "link.lost", release: null });
  await until(async () => (await audited(p, "tag.written")).length === 2);
  await p.tell([{ ...released, code: "write.stuck", data: { ...facts, commandId: next } }]);
  await p.tell([{ ...released, data: { ...facts, commandId: next } }]);
  await until(async () => (await audited(p, "tag.stuck")).length === 1);
  expect(await shown(second)).toMatchObject({
    state: "unknown",
    code: "link.lost",
    release: { taken: false },
  });
  expect([(await audited(p, "tag.written")).length, (await audited(p, "tag.released")).length]).toEqual([
    2, 1,
  ]);
  expect(await verifyAudit(p.hub.database.db)).toBeNull();
}, 20_000);

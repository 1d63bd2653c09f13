import { LIVE_PATH } from "@millrace/contract/wire/live";
import { ROUTE } from "@millrace/contract/wire/route";
import { addressNo, RawClient } from "./raw-client.ts";
import { SIGN_IN_PATH, signInBody } from "./sign-in.ts";

/** Where to, and who is there. */
export interface Target {
  port: number;
  /** Somebody who exists, so that a real hash is checked. */
  email: string;
}

/** What came of the single tries of an attack, by a word: a status, `closed`, `kept`. */
export type Outcomes = Record<string, number>;

export interface Attack {
  /** Tries a second. */
  perSecond: number;
  /** Connections that may be under way or held at once; at more the attack waits. */
  openMax: number;
  what: string;
  /** One try. @returns a word for the outcome; `hold` ends when the attack does */
  once(target: Target, no: number, hold: Promise<void>): Promise<string>;
}

const post = (path: string, body: string, extra: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n${extra}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** Each guess from another address of loopback, and with another one in a header that must not count. */
async function guess({ port, email }: Target, no: number): Promise<string> {
  using client = new RawClient(port, addressNo(no));
  const who = no % 4 === 0 ? email : `guess${no}@plant.example`;
  const forged = `Origin: http://localhost:${port}\r\nX-Forwarded-For: 203.0.113.${no % 250}\r\n`;
  const status = await client.request(
    post(SIGN_IN_PATH, signInBody(who, `a guessed password ${no}`), forged),
  );
  return status === 0 ? "no answer" : String(status);
}

/** Opens sockets, says nothing, and stays as long as it is let. */
async function openSocket({ port }: Target, no: number, hold: Promise<void>): Promise<string> {
  using client = new RawClient(port, addressNo(no));
  const live = no % 2 === 0;
  const status = await client.upgrade(live ? LIVE_PATH : ROUTE.uplink);
  if (status !== 101) return String(status);
  await Promise.race([hold, ended(client)]);
  return client.closed ? "101, closed by the hub" : "101, held to the end";
}

/** Connections that come and go without a word. */
async function knock({ port }: Target, no: number): Promise<string> {
  using client = new RawClient(port, addressNo(no));
  await client.change(50);
  return client.closed ? "closed" : "opened";
}

async function idle({ port }: Target, no: number, hold: Promise<void>): Promise<string> {
  using client = new RawClient(port, addressNo(no));
  await Promise.race([hold, ended(client)]);
  return client.closed ? "closed by the hub" : "held to the end";
}

const SLOW_BYTE_MS = 2_000;

/** Begins a request and sends a byte of its head every two seconds. */
async function slow({ port }: Target, no: number, hold: Promise<void>): Promise<string> {
  using client = new RawClient(port, addressNo(no));
  client.write("GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
  let held = true;
  void hold.then(() => {
    held = false;
  });
  while (held && !client.closed) {
    client.write("a");
    await Promise.race([hold, client.change(SLOW_BYTE_MS)]);
  }
  return client.closed ? "closed by the hub" : "held to the end";
}

async function ended(client: RawClient): Promise<void> {
  while (!client.closed) await client.change(60_000);
}

export const ATTACKS = {
  passwords: {
    perSecond: 100,
    openMax: 200,
    what: "guessed passwords, each from an address of its own, one in four on one account",
    once: guess,
  },
  sockets: {
    perSecond: 200,
    openMax: 3_000,
    what: "WebSockets of strangers that say nothing",
    once: openSocket,
  },
  connections: { perSecond: 500, openMax: 500, what: "TCP connections that come and go", once: knock },
  idle: { perSecond: 2_000, openMax: 10_000, what: "TCP connections that say nothing", once: idle },
  slow: { perSecond: 500, openMax: 2_000, what: "requests whose head never ends", once: slow },
} satisfies Record<string, Attack>;
export type AttackName = keyof typeof ATTACKS;

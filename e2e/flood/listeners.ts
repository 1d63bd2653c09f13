import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A port at which somebody waits for connections or packets. */
export interface Listener {
  protocol: "tcp" | "udp";
  /** `loopback` cannot be reached from another machine. */
  at: "loopback" | "other";
  port: number;
}

/** State of a listening TCP socket in /proc/net; UDP sockets that wait for packets stand there as closed. */
const LISTENING = { tcp: "0A", udp: "07" } as const;

const isLoopback = (hex: string): boolean =>
  // Words of four bytes in the byte order of the machine: 127.x.y.z ends in 7F; ::1, and 127.x.y.z inside IPv6.
  hex.length === 8
    ? hex.endsWith("7F")
    : hex === "00000000000000000000000001000000" || /^0{16}FFFF0000.{6}7F$/.test(hex);

/** Inodes of all sockets a process holds open. */
export function socketsOf(pid: number): Set<string> {
  const folder = `/proc/${pid}/fd`;
  const found = new Set<string>();
  for (const fd of readdirSync(folder)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.[1];
      if (inode !== undefined) found.add(inode);
    } catch {
      // Closed between the listing and the reading.
    }
  }
  return found;
}

/** Every port at which a process listens: nearer to the truth than trying all of them from outside, and it shows whose. */
export function listenersOf(pid: number): Listener[] {
  const sockets = socketsOf(pid);
  return (["tcp", "udp"] as const).flatMap((protocol) =>
    ["", "6"].flatMap((version) =>
      readFileSync(`/proc/${pid}/net/${protocol}${version}`, "utf8")
        .split("\n")
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[3] === LISTENING[protocol] && sockets.has(fields[9] ?? ""))
        .map((fields): Listener => {
          const [address = "", port = "0"] = fields[1]!.split(":");
          return {
            protocol,
            at: isLoopback(address) ? "loopback" : "other",
            port: Number.parseInt(port, 16),
          };
        }),
    ),
  );
}

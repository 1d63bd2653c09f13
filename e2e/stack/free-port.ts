/**
 * A TCP port that was free a moment ago. For peers that cannot take port 0 and say what they got; whoever can, should.
 */
export function freePort(hostname = "127.0.0.1"): number {
  const probe = Bun.listen({ hostname, port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

/** The wished port when nobody listens there, else any free one. */
export function portNear(wished: number, hostname = "127.0.0.1"): number {
  try {
    Bun.listen({ hostname, port: wished, socket: { data() {} } }).stop(true);
    return wished;
  } catch {
    return freePort(hostname);
  }
}

/** What devices that send by themselves may take of a gateway. A plant's whole line fits; a device gone mad does not. */
export const INTAKE = {
  /** Largest message or request, bytes. */
  bytesMax: 256 * 1024,
  /** Deepest JSON. */
  depthMax: 32,
  /** Messages of one login in a steady stream, per second, and at once after a quiet time. */
  perSecond: 100,
  burst: 500,
  /** Wrong tokens of one neighbour: at once, and then one in so many seconds. */
  wrongBurst: 10,
  wrongEveryS: 10,
  /** Neighbours remembered for that. */
  neighboursMax: 1_000,
  /** Connections to the broker: in all, and of one login. */
  clientsMax: 200,
  clientsPerLogin: 4,
  /** Subscriptions of one connection. */
  subscriptionsMax: 20,
  /** Messages that wait for one slow client before it is dropped. */
  queueMax: 100,
  /** Time to say hello, to take what is sent, and between two signs of life, ms. */
  helloMs: 10_000,
  drainMs: 20_000,
  keepAliveS: 300,
  /** Requests answered at once, in all; each waits for the disk. */
  requestsMax: 200,
} as const;

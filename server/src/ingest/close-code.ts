/** WebSocket close codes of our own, one meaning each, on both sockets. */
export const CLOSE = {
  goingAway: 1001,
  protocol: 4400,
  signedOut: 4401,
  refused: 4403,
  silent: 4408,
  conflict: 4409,
  renewed: 4410,
  tooMany: 4429,
  busy: 4503,
} as const;

/** True for a host name or address that only this machine can reach; names as a URL gives them, in lower case. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);

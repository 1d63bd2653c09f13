/** The one-time token behind the # of a link, which is taken out of the address bar, the history and every screenshot. */
export function takeToken(): string {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  if (location.hash !== "") history.replaceState(null, "", location.pathname);
  return token;
}

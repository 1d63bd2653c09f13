/** Longest part of what a browser says of itself that is looked at. */
const CHARACTERS_MAX = 400;

type Words = readonly (readonly [RegExp, string])[];

/** Most say they are several; the first that fits is what they are. */
const BROWSERS: Words = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\b(Chrome|CriOS|Chromium)\//, "Chrome"],
  [/\bVersion\/\S+.*\bSafari\//, "Safari"],
];
const SYSTEMS: Words = [
  [/\biPad\b/, "iPad"],
  [/\biPhone\b/, "iPhone"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

const first = (words: Words, text: string): string | null =>
  words.find(([pattern]) => pattern.test(text))?.[1] ?? null;

/** Browser and system in words somebody recognises their own device by. A hint, never a proof. */
export function browserWords(said: string | null): string {
  const text = (said ?? "").slice(0, CHARACTERS_MAX);
  const browser = first(BROWSERS, text);
  const system = first(SYSTEMS, text);
  if (browser !== null && system !== null) return `${browser} on ${system}`;
  return browser ?? system ?? "An unknown browser";
}

/** The network an address belongs to: enough to tell the plant from elsewhere, too little to follow a person. */
export function networkOf(address: string): string {
  const four = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/.exec(address);
  if (four !== null) return `${four[1]}.0/24`;
  if (!address.includes(":")) return "unknown";
  const [head = "", tail] = address.split("%")[0]!.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)).fill("0");
  return `${[...left, ...zeros, ...right].slice(0, 4).join(":")}::/64`;
}

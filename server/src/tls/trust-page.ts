import type { CertificateFacts } from "./certificate.ts";

/** One page for a phone that trusts nothing of ours yet: plain HTML, no script, its style beside it. */

const ESCAPES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign]!);

export const TRUST_STYLE = `:root{color-scheme:light dark}
body{margin:0 auto;max-width:42rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:1.75rem}
a{color:LinkText}
a.get{display:inline-flex;align-items:center;min-height:48px;padding:0 1rem;margin:.25rem .5rem .25rem 0;border:2px solid currentColor;border-radius:.5rem;font-weight:600}
code{display:block;font:1rem/1.6 ui-monospace,monospace;overflow-wrap:anywhere;padding:.5rem;border:1px solid GrayText;border-radius:.5rem}
img{background:#fff;padding:.5rem;width:12rem;height:12rem}
li{margin:.25rem 0}`;

const page = (body: string): string =>
  `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Trust this hub</title><link rel="stylesheet" href="/trust/style.css"></head>
<body><main>${body}</main></body></html>
`;

export interface TrustWords {
  /** The address people open. */
  publicUrl: string;
  /** The authority to trust; null when a public one signs. */
  authority: CertificateFacts | null;
}

export function trustPage({ publicUrl, authority }: TrustWords): string {
  const link = `<a href="${escaped(publicUrl)}">${escaped(publicUrl)}</a>`;
  if (authority === null)
    return page(`<h1>Nothing to do here</h1>
<p>This hub's certificate is one that phones and computers know by themselves. Open ${link}.</p>`);
  return page(`<h1>Trust this hub</h1>
<p>This Millrace hub signs its certificate itself. Until your device knows its authority, it warns you, and
alerts and installing do not work. You do this once on each device.</p>
<h2>1. Compare before you trust</h2>
<p>Fingerprint (SHA-256) of the authority:</p>
<code>${escaped(authority.fingerprint)}</code>
<p>The hub writes the same one on its console at each start: have it read to you there, not over this page.
If a single pair differs, stop: somebody stands between you and the hub.</p>
<h2>2. Get it</h2>
<p><a class="get" href="/trust/ca.crt" download>Certificate (Android, Windows)</a><a class="get" href="/trust/ca.mobileconfig">Profile (iPhone, iPad, Mac)</a></p>
<h2>3. Install it</h2>
<h3>Android</h3>
<ol><li>Download the certificate.</li><li>Settings, Security, More security settings, Encryption and credentials, Install a certificate, <b>CA certificate</b>.</li>
<li>Choose “Install anyway” and the file <b>millrace-hub-authority.crt</b>.</li></ol>
<h3>iPhone and iPad</h3>
<ol><li>Open this page in Safari, get the profile, allow the download.</li><li>Settings, General, VPN and device management: install the profile.</li>
<li>Settings, General, About, Certificate trust settings: <b>switch it on</b>. Without this step the profile does nothing.</li></ol>
<h3>Windows</h3>
<ol><li>Open the downloaded file, Install certificate, Current user.</li><li>Place it in <b>Trusted root certification authorities</b>.</li></ol>
<h2>4. Open the hub</h2>
<p>${link} opens without a warning now.</p>
<h2>This page on another device</h2>
<p><img src="/trust/qr.svg" alt="QR code with the address of this page"></p>`);
}

/** A name-based UUID out of the fingerprint: the same authority replaces itself instead of adding up. */
function uuidOf(fingerprint: string, salt: string): string {
  const hex = fingerprint.replaceAll(":", "").toLowerCase();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${salt}${hex.slice(22, 32)}`;
}

/** Apple's configuration profile with the authority in it. */
export function appleProfile(authority: CertificateFacts, der: Uint8Array): string {
  const name = escaped(authority.issuer.replace(/^CN=/, ""));
  const payload = (entries: string) => `<dict>${entries}</dict>`;
  const text = (key: string, value: string) => `<key>${key}</key><string>${value}</string>`;
  const number = "<key>PayloadVersion</key><integer>1</integer>";
  const inner = payload(
    text("PayloadType", "com.apple.security.root") +
      number +
      text("PayloadIdentifier", `io.millrace.authority.${uuidOf(authority.fingerprint, "01")}`) +
      text("PayloadUUID", uuidOf(authority.fingerprint, "01")) +
      text("PayloadDisplayName", name) +
      text("PayloadCertificateFileName", "millrace-hub-authority.crt") +
      `<key>PayloadContent</key><data>${Buffer.from(der).toString("base64")}</data>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">${payload(
    text("PayloadType", "Configuration") +
      number +
      text("PayloadIdentifier", `io.millrace.hub.${uuidOf(authority.fingerprint, "00")}`) +
      text("PayloadUUID", uuidOf(authority.fingerprint, "00")) +
      text("PayloadDisplayName", name) +
      text("PayloadDescription", "Lets this device trust a Millrace hub") +
      `<key>PayloadContent</key><array>${inner}</array>`,
  )}</plist>
`;
}

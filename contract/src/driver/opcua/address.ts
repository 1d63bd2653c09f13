import { Type } from "@sinclair/typebox";
import { AppError } from "../../error/app-error.ts";

/** A node of a server, named so that it survives a restart: the namespace by its URI wherever that is known. */
export interface OpcuaAddress {
  namespace: { uri: string } | { index: number };
  /** `i` number, `s` string, `g` GUID, `b` opaque bytes as base64 (OPC 10000-6, 5.3.1.10). */
  type: "i" | "s" | "g" | "b";
  id: string;
  /** One element of an array, e.g. `3` or `1,2` for two dimensions; null for the whole value. */
  element: string | null;
}

export const OpcuaAddressText = Type.String({
  minLength: 3,
  maxLength: 500,
  description:
    "Node id: nsu=URI; or ns=number;, then i= s= g= or b=. A space and element= with a number takes one element of an array",
  examples: [
    "nsu=http://example.com/plant;s=Line1.Temperature",
    "ns=2;s=Line1.Temperature",
    "i=2258",
    "nsu=urn:plc:program;i=1003 element=3",
    "ns=3;g=72962b91-fa75-4ae6-8d28-b404dc7daf63",
    "ns=2;b=M/RbKBsRVkePCePcx24oRA==",
  ],
});

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const NAMESPACE_MAX = 65_535;
const NUMBER_MAX = 2 ** 32 - 1;

function refuse(text: string, found: string, right: string): never {
  throw new AppError("address.illegal", `Address "${text.slice(0, 120)}": ${found}; ${right}.`, {
    context: { address: text.slice(0, 120), found, right },
  });
}

/** `%3B` for a semicolon and `%25` for a percent sign (OPC 10000-6, 5.3.1.11). */
const uriToText = (uri: string): string => uri.replaceAll("%", "%25").replaceAll(";", "%3B");
const uriFromText = (text: string): string => text.replace(/%3b/gi, ";").replaceAll("%25", "%");

function whole(text: string, digits: string, max: number, what: string): number {
  const value = /^\d{1,10}$/.test(digits) ? Number(digits) : Number.NaN;
  if (value <= max) return value;
  return refuse(text, `${what} "${digits.slice(0, 20)}"`, `a whole number from 0 to ${max} is right`);
}

/** @throws AppError `address.illegal` naming what was found and what would be right */
export function parseAddress(text: string): OpcuaAddress {
  const trimmed = text.trim();
  const [, node = trimmed, element = null] = /^(.*?)\s+element=([^\s=]*)$/s.exec(trimmed) ?? [];
  if (element !== null && !/^\d{1,9}(,\d{1,9}){0,4}$/.test(element))
    refuse(text, `element "${element}"`, "one element is a number from 0, e.g. element=3, or 1,2 in a table");
  const [, prefix = "", type = "", id = ""] = /^((?:nsu|ns|svr)=[^;]*;)?([isgb])=(.*)$/s.exec(node) ?? [];
  if (type === "")
    refuse(
      text,
      "no node id",
      "write nsu=URI;s=name, ns=2;s=name or i=2258 (i number, s text, g GUID, b bytes)",
    );
  return {
    namespace: namespaceOf(text, prefix.slice(0, -1)),
    type: type as OpcuaAddress["type"],
    id: idOf(text, type, id),
    element,
  };
}

function namespaceOf(text: string, prefix: string): OpcuaAddress["namespace"] {
  if (prefix === "") return { index: 0 };
  const [key, value = ""] = [prefix.slice(0, prefix.indexOf("=")), prefix.slice(prefix.indexOf("=") + 1)];
  if (key === "ns") return { index: whole(text, value, NAMESPACE_MAX, "namespace") };
  if (key === "svr")
    return refuse(text, "svr=", "nodes of other servers are read there, as a device of their own");
  if (value === "") return refuse(text, "an empty namespace URI", "write nsu=URI;");
  return { uri: uriFromText(value) };
}

function idOf(text: string, type: string, id: string): string {
  switch (type) {
    case "i":
      return String(whole(text, id, NUMBER_MAX, "number"));
    case "g": {
      const guid = id.toLowerCase();
      if (GUID.test(guid)) return guid;
      return refuse(text, `GUID "${id.slice(0, 40)}"`, "8-4-4-4-12 hexadecimal digits are right");
    }
    case "b":
      if (id !== "" && BASE64.test(id)) return id;
      return refuse(text, `bytes "${id.slice(0, 40)}"`, "base64 is right");
    default:
      if (id !== "") return id;
      return refuse(text, "an empty name", "write s= and the name of the node");
  }
}

/** The canonical text; `parseAddress` gives the address back. */
export function formatAddress(address: OpcuaAddress): string {
  return `${formatNode(address)}${address.element === null ? "" : ` element=${address.element}`}`;
}

/** The node without the element of it. */
export function formatNode({ namespace, type, id }: OpcuaAddress): string {
  const prefix =
    "uri" in namespace
      ? `nsu=${uriToText(namespace.uri)};`
      : namespace.index === 0
        ? ""
        : `ns=${namespace.index};`;
  return `${prefix}${type}=${id}`;
}

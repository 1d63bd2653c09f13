import { Line } from "../../driver/cuttable-line.ts";
import { type OpcuaPeer, opcuaPeer } from "./peer.ts";

/** One server for all tests of a process: starting it takes a second. It ends with the process. */
let shared: Promise<OpcuaPeer> | null = null;
export function sharedPeer(): Promise<OpcuaPeer> {
  shared ??= opcuaPeer({ variables: 1_000 });
  return shared;
}

const URI = "nsu=urn:millrace:peer;s=";

/** What of the server below can be written, and what cannot. */
const WRITES = {
  writable: [
    { address: `${URI}wBoolean`, dataType: "boolean" as const, value: true },
    { address: `${URI}wSByte`, dataType: "int8" as const, value: -5 },
    { address: `${URI}wByte`, dataType: "uint8" as const, value: 200 },
    { address: `${URI}wInt16`, dataType: "int16" as const, value: -2 },
    { address: `${URI}wUInt16`, dataType: "uint16" as const, value: 65_535 },
    { address: `${URI}wInt32`, dataType: "int32" as const, value: -70_000 },
    { address: `${URI}wUInt32`, dataType: "uint32" as const, value: 4_000_000_000 },
    { address: `${URI}wInt64`, dataType: "int64" as const, value: -9_007_199_254_740_993n },
    { address: `${URI}wUInt64`, dataType: "uint64" as const, value: 18_446_744_073_709_551_615n },
    { address: `${URI}wFloat`, dataType: "float32" as const, value: 2.5 },
    { address: `${URI}wDouble`, dataType: "float64" as const, value: 0.1 },
    { address: `${URI}wString`, dataType: "text" as const, value: "Mühle 7" },
    { address: `${URI}wDateTime`, dataType: "text" as const, value: "2026-11-26T13:05:00.250Z" },
    { address: `${URI}wArray element=1`, dataType: "float64" as const, value: -2.5 },
    { address: `${URI}wMatrix element=1,0`, dataType: "int32" as const, value: 77 },
  ],
  unwritable: [
    { address: `${URI}Int16`, dataType: "int16" as const, value: 1 },
    { address: `${URI}Nothing`, dataType: "int16" as const, value: 1 },
    { address: "nsu=urn:nowhere;s=Nothing", dataType: "int16" as const, value: 1 },
    { address: `${URI}wByte`, dataType: "int32" as const, value: 256 },
    { address: `${URI}wFloat`, dataType: "float64" as const, value: 0.1 },
    { address: `${URI}wBoolean`, dataType: "int16" as const, value: 1 },
    { address: `${URI}wArray`, dataType: "float64" as const, value: 1 },
    { address: `${URI}wArray element=9`, dataType: "float64" as const, value: 1 },
    { address: `${URI}wDouble element=0`, dataType: "float64" as const, value: 1 },
  ],
};

/** The device for the conformance suite; see `driver/conformance.ts`. */
export async function conformanceDevice() {
  const line = await Line.to((await sharedPeer()).port);
  const endpoint = `opc.tcp://127.0.0.1:${line.port}`;
  return {
    settings: { endpoint, security: "none-insecure", timeoutMs: 3_000 },
    readable: [
      { address: `${URI}Boolean`, dataType: "boolean" as const, value: true },
      { address: `${URI}SByte`, dataType: "int8" as const, value: -128 },
      { address: `${URI}Byte`, dataType: "uint8" as const, value: 255 },
      { address: `${URI}Int16`, dataType: "int16" as const, value: -32_767 },
      { address: `${URI}UInt16`, dataType: "uint16" as const, value: 65_535 },
      { address: `${URI}Int32`, dataType: "int32" as const, value: -123_456 },
      { address: `${URI}UInt32`, dataType: "uint32" as const, value: 4_294_967_295 },
      { address: `${URI}Int64`, dataType: "int64" as const, value: -1_234_567_890_123_456_789n },
      { address: `${URI}UInt64`, dataType: "uint64" as const, value: 2n ** 64n - 1n },
      { address: `${URI}Float`, dataType: "float32" as const, value: 123.5 },
      { address: `${URI}Double`, dataType: "float64" as const, value: Math.PI },
      { address: `${URI}String`, dataType: "text" as const, value: "Mühle" },
      { address: `${URI}Array element=1`, dataType: "float64" as const, value: 2.5 },
    ],
    illegal: { address: `${URI}Nothing`, dataType: "uint16" as const },
    ...WRITES,
    malformed: [
      "",
      "s=",
      "ns=2",
      "ns=70000;i=1",
      "i=-1",
      "g=123",
      "b=a?",
      "nsu=;s=x",
      "svr=1;i=3",
      "ns=2;s=x element=1:3",
    ],
    wrong: [
      { settings: {}, setting: "endpoint" },
      { settings: { endpoint: "http://plc:4840" }, setting: "endpoint" },
      { settings: { endpoint, security: "none" }, setting: "security" },
      { settings: { endpoint, policy: "Basic128Rsa15" }, setting: "policy" },
      { settings: { endpoint, login: "user", user: "mill" }, setting: "password" },
      { settings: { endpoint, serverFingerprint: "12:34" }, setting: "serverFingerprint" },
    ],
    socketsOpen: () => line.socketsOpen,
    connections: () => line.connections,
    cut: () => line.cut(),
    silence: (on: boolean) => line.silence(on),
    close: () => line.close(),
  };
}

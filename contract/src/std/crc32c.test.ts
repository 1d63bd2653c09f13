import { expect, test } from "bun:test";
import { crc32c } from "./crc32c.ts";

const counting = Uint8Array.from({ length: 32 }, (_, i) => i);

test("vectors of RFC 3720 B.4", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8_ab43);
  expect(crc32c(counting)).toBe(0x46dd_794e);
  expect(crc32c(counting.slice().reverse())).toBe(0x113f_db5c);
  const scsiRead =
    "01c00000000000000000000000000000140000000000040000000014000000182800000000000000020000000000000000";
  expect(crc32c(Uint8Array.fromHex(scsiRead.slice(0, 96)))).toBe(0xd996_3a56);
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe306_9283);
  expect(crc32c(new Uint8Array(0))).toBe(0);
});

test("a checksum continued from a seed is the checksum of the whole, at any cut", () => {
  for (let cut = 0; cut <= counting.length; cut++)
    expect(crc32c(counting.subarray(cut), crc32c(counting.subarray(0, cut)))).toBe(0x46dd_794e);
});

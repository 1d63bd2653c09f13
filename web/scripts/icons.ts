/**
 * Draws the app icons as PNG from the same strokes as `favicon.svg`, with nothing but zlib: distance to the strokes
 * decides each pixel. Run `bun scripts/icons.ts` after a change; the files are committed.
 */
import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

type Rgb = readonly [number, number, number];
const GROUND: Rgb = [0x1e, 0x22, 0x26];
const STROKES: { points: [number, number][]; width: number; colour: Rgb }[] = [
  {
    points: [
      [12, 46],
      [12, 20],
      [26, 35],
      [38, 20],
      [52, 35],
      [52, 46],
    ],
    width: 6,
    colour: [0xe4, 0xe7, 0xea],
  },
  {
    points: [
      [12, 54],
      [52, 54],
    ],
    width: 4,
    colour: [0x7f, 0xb8, 0xee],
  },
];

function distanceToSegment(px: number, py: number, a: [number, number], b: [number, number]): number {
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  const t = Math.max(0, Math.min(1, ((px - a[0]) * dx + (py - a[1]) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(px - a[0] - t * dx, py - a[1] - t * dy);
}

/** Colour at a point of the 64 × 64 drawing; `pixel` is one output pixel in drawing units, for soft edges. */
function colourAt(x: number, y: number, pixel: number): Rgb {
  let colour = GROUND;
  for (const stroke of STROKES) {
    let distance = Number.POSITIVE_INFINITY;
    for (let i = 1; i < stroke.points.length; i++) {
      distance = Math.min(distance, distanceToSegment(x, y, stroke.points[i - 1]!, stroke.points[i]!));
    }
    const cover = Math.max(0, Math.min(1, (stroke.width / 2 - distance) / pixel + 0.5));
    const under = colour;
    colour = under.map((channel, i) =>
      Math.round(channel + (stroke.colour[i]! - channel) * cover),
    ) as unknown as Rgb;
  }
  return colour;
}

function chunk(name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** `inset` shrinks the drawing to the safe zone that a maskable icon must keep clear. */
function png(size: number, inset: number): Buffer {
  const pixel = 64 / (size * (1 - 2 * inset));
  const rows = Buffer.alloc(size * (size * 3 + 1));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = y * (size * 3 + 1) + 1 + x * 3;
      const colour = colourAt((x + 0.5 - inset * size) * pixel, (y + 0.5 - inset * size) * pixel, pixel);
      rows.set(colour, at);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", new Uint8Array()),
  ]);
}

const publicDir = new URL("../public/", import.meta.url);
writeFileSync(new URL("icon-192.png", publicDir), png(192, 0));
writeFileSync(new URL("icon-512.png", publicDir), png(512, 0));
writeFileSync(new URL("icon-maskable-512.png", publicDir), png(512, 0.14));

// A screenshot as a small PNG: the commonest colours in a palette, every other one drawn in the nearest of them.

import { crc32, deflateSync, inflateSync } from "node:zlib";

const COLOURS = 96;

/** Pixels of Chromium's PNG (8 bits, RGB or RGBA): { width, height, at(i): 0xrrggbb }. */
function pixels(png) {
  const width = png.readUInt32BE(16), height = png.readUInt32BE(20);
  const size = png[25] === 6 ? 4 : 3;
  const parts = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(parts)), row = width * size, out = Buffer.alloc(row * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x += 1) {
      const left = x >= size ? out[y * row + x - size] : 0;
      const up = y > 0 ? out[(y - 1) * row + x] : 0;
      const corner = x >= size && y > 0 ? out[(y - 1) * row + x - size] : 0;
      const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      out[y * row + x] = raw[y * (row + 1) + 1 + x] + [0, left, up, (left + up) >> 1, paeth][filter];
    }
  }
  return { width, height, at: (i) => (out[i * size] << 16) | (out[i * size + 1] << 8) | out[i * size + 2] };
}

function chunk(kind, data) {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(kind, 4, "latin1");
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/** The same picture in a palette of at most `COLOURS` colours. */
export function small(png) {
  const { width, height, at } = pixels(png);
  const often = new Map();
  for (let i = 0; i < width * height; i += 1) often.set(at(i), (often.get(at(i)) ?? 0) + 1);
  const palette = [...often].sort((a, b) => b[1] - a[1]).slice(0, COLOURS).map(([colour]) => colour);
  const far = (a, b) => [16, 8, 0].reduce((sum, bits) => sum + (((a >> bits) & 255) - ((b >> bits) & 255)) ** 2, 0);
  const index = new Map();
  for (const colour of often.keys()) {
    let best = 0;
    for (let n = 1; n < palette.length; n += 1) if (far(colour, palette[n]) < far(colour, palette[best])) best = n;
    index.set(colour, best);
  }
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) rows[y * (width + 1) + 1 + x] = index.get(at(y * width + x));
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
  return Buffer.concat([
    png.subarray(0, 8), chunk("IHDR", head), chunk("PLTE", colours), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Memory of a process over work done: whether it levels off or climbs. */
export interface MemoryPoint {
  /** Requests or frames so far. */
  done: number;
  rssBytes: number;
}

export interface MemoryTrend {
  /** Resident after the warm-up and at the end. */
  beginBytes: number;
  endBytes: number;
  /** Growth by each request over the second half, by least squares; a level memory scatters around 0. */
  slopeBytes: number;
}

/** @param points rising in `done`, at least two */
export function trendOf(points: readonly MemoryPoint[]): MemoryTrend {
  const last = points.at(-1)!.done;
  const half = points.filter(({ done }) => done >= last / 2);
  const meanOf = (of: (point: MemoryPoint) => number) =>
    half.reduce((sum, point) => sum + of(point), 0) / half.length;
  const [doneMean, rssMean] = [meanOf(({ done }) => done), meanOf(({ rssBytes }) => rssBytes)];
  let [up, across] = [0, 0];
  for (const { done, rssBytes } of half) {
    up += (done - doneMean) * (rssBytes - rssMean);
    across += (done - doneMean) ** 2;
  }
  return {
    beginBytes: points[0]!.rssBytes,
    endBytes: points.at(-1)!.rssBytes,
    slopeBytes: across === 0 ? 0 : up / across,
  };
}

/** What the second half may add in all: heaps of this runtime breathe by a hundred MB, a leak does not stop. */
const GROWTH_BYTES_MAX = 128e6;

export const grows = ({ slopeBytes }: MemoryTrend, done: number): boolean =>
  (slopeBytes * done) / 2 > GROWTH_BYTES_MAX;

export const memoryText = ({ beginBytes, endBytes, slopeBytes }: MemoryTrend): string =>
  `${Math.round(beginBytes / 1e6)} MB after warm-up, ${Math.round(endBytes / 1e6)} MB at the end, ${slopeBytes.toFixed(1)} bytes a request over the second half`;

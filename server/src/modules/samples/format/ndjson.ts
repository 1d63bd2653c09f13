import { qualityName } from "@millrace/contract/vocabulary/quality";
import { type TagValue, valueToJson } from "@millrace/contract/vocabulary/value";
import type { QueryTag } from "../../../historian/query/store.ts";
import { instantOf } from "../../instant.ts";
import type { GapLine, Outcome, RowWriter } from "./format.ts";
import { Lines } from "./lines.ts";

/**
 * One JSON document a line, each with its kind: `tag` lines first, then `sample` and `gap` in order of time, and one
 * `end`, without which the stream was cut on its way.
 */
export class NdjsonWriter implements RowWriter {
  readonly #lines = new Lines();

  begin(tags: readonly QueryTag[]): void {
    for (const { tagNo, path, unit, dataType, interpolation } of tags)
      this.line({ kind: "tag", tagNo, path, unit, dataType, interpolation });
  }

  sample(tagNo: number, timeMs: number, value: TagValue, quality: number): void {
    const json = JSON.stringify(valueToJson(value));
    const time = instantOf(timeMs);
    this.#lines.add(
      `{"kind":"sample","tagNo":${tagNo},"time":"${time}","value":${json},"quality":"${qualityName(quality)}"}\n`,
    );
  }

  gap({ tagNo, fromMs, toMs, cause, samples }: GapLine): void {
    this.line({ kind: "gap", tagNo, from: instantOf(fromMs), to: instantOf(toMs), cause, samples });
  }

  line(document: object): void {
    this.#lines.add(`${JSON.stringify(document)}\n`);
  }

  end({ rows, cut, nextMs }: Outcome): void {
    const nextFrom = nextMs === null ? null : instantOf(nextMs);
    this.line({ kind: "end", rows, complete: cut === null, cut, nextFrom });
    this.#lines.end();
  }

  take(): Uint8Array | null {
    return this.#lines.take();
  }
}

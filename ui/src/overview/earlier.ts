/** A KPI's values at the same time last week or, where there are none, yesterday: asked for a good while ahead, and seldom. */

import type { Point, Value } from "../server/types.ts";
import { daysBefore } from "./zones.ts";

export type Since = "week" | "day";

export interface Before {
  readonly since: Since;
  readonly value: Value;
}

/** Asks for the points of [from, to), in ms since 1970; null where they can't be had. */
export type AskPoints = (from_ms: number, to_ms: number) => Promise<readonly Point[] | null>;

const DAYS: Readonly<Record<Since, number>> = { week: 7, day: 1 };
const STEPS_AHEAD = 60;

export class Earlier {
  #values = new Map<number, Value>();
  #since: Since | null = null;
  /** What is asked for already: times in [from, to), as they are now. */
  #asked: readonly [from_ms: number, to_ms: number] = [0, 0];
  #at: readonly [time_ms: number, before: Before | null] | null = null;
  #answered = false;

  /** `told` is called when there is an answer. */
  constructor(
    private readonly ask: AskPoints,
    private readonly step_ms: number,
    private readonly timezone: string,
    private readonly told: () => void,
  ) {}

  /** Whether it is known what there was, if anything. */
  get answered(): boolean {
    return this.#answered;
  }

  /** The value that stood there before, for a step that begins at `time_ms`; null while it is not known. Asks for more where it must. */
  at(time_ms: number, now_ms: number): Before | null {
    const [from_ms, to_ms] = this.#asked;
    if (time_ms < from_ms || time_ms >= to_ms) void this.#load(time_ms, now_ms);
    if (this.#at?.[0] !== time_ms) this.#at = [time_ms, this.#find(time_ms)];
    return this.#at[1];
  }

  #find(time_ms: number): Before | null {
    if (this.#since === null) return null;
    const value = this.#values.get(daysBefore(time_ms, DAYS[this.#since], this.timezone));
    return value === undefined ? null : { since: this.#since, value };
  }

  async #load(time_ms: number, now_ms: number): Promise<void> {
    const asked: readonly [number, number] = [time_ms, time_ms + STEPS_AHEAD * this.step_ms];
    this.#asked = asked;
    for (const since of ["week", "day"] as const) {
      const [from_ms, to_ms] = asked.map((each) => daysBefore(each, DAYS[since], this.timezone)) as [number, number];
      const found = await this.ask(from_ms, to_ms);
      if (this.#asked !== asked) return;
      // what was not over then is no measure
      const over = (found ?? []).filter((point) => point.value !== null && Date.parse(point.time) + this.step_ms <= now_ms);
      if (over.length === 0) continue;
      this.#since = since;
      this.#values = new Map(over.map((point) => [Date.parse(point.time), point.value]));
      break;
    }
    this.#answered = true;
    this.#at = null;
    this.told();
  }
}

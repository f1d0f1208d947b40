/**
 * A range of points that stays right: asked for once, and brought up to date by the stream.
 *
 * The range's answer says which commit it saw. What the stream tells of an earlier one is in it already; what it tells of that commit or
 * a later one is as new or newer: time alone makes points final, too. While the range is asked for, what the stream tells is kept until
 * the answer is there. So neither a break nor an answer that is slow leaves a gap, or an old number over a new one.
 */

import type { Api } from "./api.ts";
import type { Live, Watcher } from "./live.ts";
import type { Point, Points, Want } from "./types.ts";

/** How soon after a change what is not final yet is asked for anew where there is more to it than the stream tells: what is expected of it. */
const SOON_MS = 10_000;
/** And without a change. */
const QUIET_MS = 60_000;
/** Where there is no more to it: that a value is gone is no change the stream tells. */
const SELDOM_MS = 300_000;

export interface Range {
  /** The range's start: so long before now, in ms, and moving with it; or fixed, in ms since 1970. */
  readonly span_ms?: number;
  readonly from_ms?: number;
  /** Its end where it does not move. */
  readonly to_ms?: number;
  readonly compare?: string;
  /** What a point may have beside its value: `band`, `prediction`. */
  readonly extra?: readonly string[];
}

/** A point with its time, which is dear to read from the text again and again. */
interface Held {
  readonly time_ms: number;
  readonly point: Point;
}

interface Waiting {
  readonly commit: number;
  readonly points: readonly Point[];
}

export class Feed implements Watcher {
  /** Points in order of time; of one time in the order they came. */
  #points: readonly Point[] | null = null;
  #held = new Map<string, Held>();
  #commit = -1;
  #waiting: Waiting[] | null = null;
  #asked = 0;
  #error: Error | null = null;
  #end: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Whether it is asked again soon. */
  #soon = false;
  #heard_ms: number | null = null;

  /** `changed` is called after each change of the points, or of `error`. */
  constructor(
    private readonly api: Api,
    private readonly live: Live,
    private readonly now: () => number,
    readonly want: Want,
    readonly range: Range,
    private readonly told: () => void,
  ) {}

  get points(): readonly Point[] {
    this.#points ??= [...this.#held.values()].sort((one, other) => one.time_ms - other.time_ms).map(({ point }) => point);
    return this.#points;
  }

  /** Whether the range has been answered yet. */
  get ready(): boolean {
    return this.#commit >= 0;
  }

  get #every_ms(): number {
    if (this.#error !== null) return SOON_MS;
    return this.range.extra?.length ? QUIET_MS : SELDOM_MS;
  }

  /** Why the range could not be asked for; null while it could. */
  get error(): Error | null {
    return this.#error;
  }

  /** When the stream last told of a change, in ms since 1970 by the page's clock; null before it did. */
  get heard_ms(): number | null {
    return this.#heard_ms;
  }

  start(): void {
    if (this.#end !== null) return;
    this.#end = this.live.watch(this.want, this);
    void this.load();
  }

  stop(): void {
    this.#end?.();
    this.#end = null;
    this.#asked += 1; // an answer that is under way counts no more
    this.#waiting = null;
    this.#later(null);
  }

  opened(commit: number): void {
    if (commit > this.#commit || this.#waiting !== null) void this.load();
  }

  missed(): void {
    void this.load();
  }

  changed(commit: number, points: readonly Point[]): void {
    this.#heard_ms = this.now();
    if (this.#waiting !== null) this.#waiting.push({ commit, points });
    else if (commit >= this.#commit && this.ready) {
      for (const point of points) this.#put(point);
      this.#settle(commit);
      if (this.range.extra?.length && !this.#soon) this.#later(SOON_MS);
    }
  }

  /** Asks for the whole range anew. */
  async load(): Promise<void> {
    await this.#ask(this.range.from_ms ?? this.now() - (this.range.span_ms ?? 3_600_000), true);
  }

  /** Asks for what is not final yet, or for what could not be had. */
  async #renew(): Promise<void> {
    const open = this.points.find((point) => !point.final);
    if (this.#error !== null) await this.load();
    else if (open !== undefined && this.live.connection === "live") await this.#ask(Date.parse(open.time), false);
    else this.#later(this.#every_ms);
  }

  async #ask(from_ms: number, whole: boolean): Promise<void> {
    const asked = ++this.#asked;
    this.#later(null);
    this.#waiting ??= [];
    try {
      const span = { from: iso(from_ms), ...(this.range.to_ms !== undefined && { to: iso(this.range.to_ms) }) };
      const { compare, extra } = this.range;
      const answer = await this.api.points(this.want, span, { ...(compare && { compare }), ...(extra && { extra }) });
      if (asked !== this.#asked) return; // it was asked for again meanwhile
      const moved = this.#waiting.length > 0;
      this.#take(answer, whole ? -Infinity : from_ms);
      this.#later(moved && this.range.extra?.length ? SOON_MS : this.#every_ms);
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#waiting = null;
      this.#error = error instanceof Error ? error : new Error(String(error));
      this.told();
      this.#later(this.#every_ms);
    }
  }

  /** Puts an answer in the place of what was held from a time on, and what was told meanwhile over it. */
  #take(answer: Points, from_ms: number): void {
    const before = this.#commit;
    this.#held = new Map([...this.#held].filter(([, { time_ms }]) => time_ms < from_ms));
    for (const point of answer.points) {
      this.#held.set(keyOf(point, this.want.by), { time_ms: Date.parse(point.time), point });
    }
    this.#error = null;
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const message of waiting) {
      for (const point of message.points) {
        if (message.commit >= (Date.parse(point.time) < from_ms ? before : answer.commit)) this.#put(point);
      }
    }
    this.#settle(Math.max(answer.commit, ...waiting.map((message) => message.commit)));
  }

  #put(point: Point): void {
    const time_ms = Date.parse(point.time);
    if (this.range.to_ms !== undefined && time_ms >= this.range.to_ms) return;
    if (this.range.from_ms !== undefined && time_ms < this.range.from_ms) return;
    const key = keyOf(point, this.want.by);
    const before = this.#held.get(key)?.point;
    // what the stream does not tell (an earlier time's value, the band) still holds; a prediction was of another number
    this.#held.set(key, { time_ms, point: before === undefined ? point : { ...kept(before), ...point } });
  }

  #settle(commit: number): void {
    this.#commit = commit;
    this.#points = null;
    this.#forget();
    this.told();
  }

  #later(wait_ms: number | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const due = wait_ms !== null && this.#end !== null;
    this.#soon = wait_ms === SOON_MS;
    this.#timer = due ? setTimeout(() => void this.#renew(), wait_ms) : null;
  }

  /** Drops what a moving range has left behind. */
  #forget(): void {
    if (this.range.span_ms === undefined) return;
    const from_ms = this.now() - this.range.span_ms;
    for (const [key, { time_ms }] of this.#held) if (time_ms < from_ms) this.#held.delete(key);
  }
}

/** What says which point is meant: its time and its slices. */
function keyOf(point: Point, by: readonly string[] = []): string {
  return JSON.stringify([point.time, ...by.map((name) => point[name] ?? null)]);
}

function kept(point: Point): Partial<Point> {
  const { corrected: _corrected, predicted: _predicted, predicted_low: _low, predicted_high: _high, ...rest } = point;
  return rest;
}

function iso(time_ms: number): string {
  return new Date(time_ms).toISOString();
}

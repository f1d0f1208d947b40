/** All that a KPI shows at a glance, for whatever draws it. */

import type { ReactiveControllerHost } from "lit";
import type { Feed } from "../server/feed.ts";
import type { Kpi, Pace, Point, Value } from "../server/types.ts";
import { Feeds, Follow, Ticking } from "../shell/follow.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { EarlierOf, PaceOf } from "./asked.ts";
import { type Change, changeOf } from "./change.ts";
import { type Reading, readingOf } from "./reading.ts";
import { isJudged, type Standing, standingOf } from "./state.ts";
import { saidOf } from "./said.ts";
import { lengthWords, openWordsOf, type Window, type Wish, wantOf, windowOf, wordsOf } from "./windows.ts";

const TICK_MS = 5_000;
/** Where a line is this many pixels wide, a pixel's time is what it moves by. */
const GRAINS = 400;
const LONG = 1_000_000;
const LEAST_STEPS = 10;

export interface Seen {
  readonly window: Window;
  readonly feed: Feed;
  readonly reading: Reading;
  /** What a sparkline shows. */
  readonly line: readonly Point[];
  readonly pace: Pace | null;
  readonly standing: Standing;
  /** Null where there is nothing to compare with; undefined while that is not known. */
  readonly change: Change | null | undefined;
  /** The value as text, shortened where it is long, and in full. */
  readonly value: string;
  readonly exact: string;
  /** Of which time the value is, and whether it may still change. */
  readonly when: string;
  /** The value of the time that is not over yet, with its words; empty where there is none. */
  readonly open: string;
  /** Up to when a line is drawn: now, in steps that can be seen; and how much time before that. */
  readonly until_ms: number;
  readonly span_ms: number;
  /** The line in words. */
  readonly said: string;
}

export class Glance {
  readonly #feeds: Feeds;
  readonly #pace: PaceOf;
  readonly #earlier: EarlierOf;

  /** Updates `host` as the numbers, the alerts, the viewer's choices and the time go on. */
  constructor(host: ReactiveControllerHost & Element, page: () => Page) {
    this.#feeds = new Feeds(host);
    this.#pace = new PaceOf(host);
    this.#earlier = new EarlierOf(host);
    new Follow(host, () => page().board, "changed");
    new Follow(host, () => page().preferences, "changed");
    new Ticking(host, TICK_MS);
  }

  /** Whether the host is on screen, or nearly. */
  get seen(): boolean {
    return this.#feeds.seen;
  }

  look(page: Page, kpi: Kpi, wish: Wish = "minute"): Seen {
    const window = windowOf(kpi, wish);
    const now_ms = page.clock.now();
    const feed = this.#feeds.feed("glance", page, wantOf(kpi, window), { span_ms: window.span_ms });
    const reading = readingOf(feed.points, window, now_ms);
    const pace = feed.ready ? this.#pace.latest(page, kpi) : undefined;
    const span_ms = spanOf(feed.points, window, now_ms);
    const grain_ms = span_ms / GRAINS;
    const line = lineOf(feed.points, window, reading);
    return {
      window,
      feed,
      reading,
      line,
      pace: pace ?? null,
      standing: this.#standing(page, kpi, pace, feed.ready && feed.points.length === 0),
      change: this.#change(page, kpi, window, reading),
      value: shortText(page, reading.shown?.value, kpi),
      exact: page.numbers.text(reading.shown?.value, kpi.unit),
      when: feed.ready ? whenOf(page, kpi, window, reading) : "",
      open: reading.open === null ? "" : `${openWordsOf(window)} ${page.numbers.text(reading.open.value, kpi.unit, { compact: true })}`,
      span_ms,
      said: saidOf(line, (value) => page.numbers.text(value, kpi.unit)),
      until_ms: Math.ceil(now_ms / grain_ms) * grain_ms,
    };
  }

  /** Where nothing of the file is judged, "No rule" on every KPI tells nobody anything. */
  #standing(page: Page, kpi: Kpi, pace: Pace | null | undefined, silent: boolean): Standing {
    const standing = standingOf(kpi, page.board.of(kpi.watched), pace, silent);
    const telling = standing.state !== "none" || silent || page.kpis.some(isJudged);
    return telling ? standing : { state: "none", word: "", why: "" };
  }

  #change(page: Page, kpi: Kpi, window: Window, { shown, partial }: Reading): Change | null | undefined {
    if (shown === null || partial) return undefined;
    const earlier = this.#earlier.of(page, kpi, window);
    const before = earlier.at(Date.parse(shown.time), page.clock.now());
    if (before === null) return earlier.answered ? null : undefined;
    return changeOf(shown.value, before.value, before.since, kpi, page.numbers);
  }
}

/** How far back a line goes: not further than there is anything, so that a young KPI has more than a stub. */
function spanOf(points: readonly Point[], window: Window, now_ms: number): number {
  const first = points[0];
  if (first === undefined) return window.span_ms;
  const known_ms = Math.ceil((now_ms - Date.parse(first.time)) / window.step_ms) * window.step_ms;
  return Math.min(window.span_ms, Math.max(known_ms, LEAST_STEPS * window.step_ms));
}

/** Without the step that is not over, which would fall to nothing once a step; a window that slides, or a level, does not. */
function lineOf(points: readonly Point[], window: Window, { open }: Reading): readonly Point[] {
  const falls = open !== null && window.covers_ms === window.step_ms;
  return falls ? points.filter((point) => point.time !== open.time) : points;
}

/** In full as long as it can be read at a glance. */
function shortText(page: Page, value: Value | undefined, kpi: Kpi): string {
  return page.numbers.text(value, kpi.unit, { compact: typeof value === "number" && Math.abs(value) >= LONG });
}

function whenOf(page: Page, kpi: Kpi, window: Window, { shown, partial, old, end_ms }: Reading): string {
  if (shown === null) return `nothing in the last ${lengthWords(window.span_ms).replace(/^1 /, "")}`;
  if (partial) return `${openWordsOf(window)}, provisional`;
  const when = old ? timesOf(page, kpi).ago(end_ms, page.clock.now()) : wordsOf(window);
  return shown.final || window.level ? when : `${when}, provisional`;
}

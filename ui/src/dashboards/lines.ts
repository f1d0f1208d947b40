/** The lines of a tile's chart: a KPI's own, or its greatest slices and the rest. */

import type { Line } from "../chart/layers.ts";
import { restName, type Ranking, slicesOf } from "../kpi/split.ts";
import { among, apart } from "../kpi/where.ts";
import { zoneFor } from "../overview/windows.ts";
import type { Feed } from "../server/feed.ts";
import type { Kpi, KpiTile, Want } from "../server/types.ts";
import { parseDuration, stepFor } from "../words/durations.ts";

const HOUR_MS = 3_600_000;
const MOST_POINTS = 200;
const BUCKETS = 60;

export interface Frame {
  readonly span_ms: number;
  readonly step: string;
  readonly step_ms: number;
  /** Days begin where the KPI says. */
  readonly timezone: string | null;
}

/** How far back a tile shows, and how fine. */
export function frameOf(tile: Pick<KpiTile, "span">, kpi: Kpi): Frame {
  const every_ms = parseDuration(kpi.every);
  const span_ms = tile.span === null ? Math.max(HOUR_MS, every_ms * BUCKETS) : parseDuration(tile.span);
  const step = stepFor(span_ms, every_ms, MOST_POINTS);
  const step_ms = parseDuration(step);
  return { span_ms, step, step_ms, timezone: zoneFor(kpi, step_ms) };
}

/** What the chart wants of the server; the rest has a line of its own, since only the server can merge it rightly. */
export function wantsOf(tile: KpiTile, frame: Frame, ranking: Ranking | null): Readonly<Record<string, Want>> {
  const want: Want = { kpi: tile.kpi, step: frame.step, ...(frame.timezone !== null && { timezone: frame.timezone }) };
  if (tile.by === null) return { whole: want };
  if (ranking === null || ranking.top.length === 0) return {};
  return {
    slices: { ...want, by: [tile.by], where: among(tile.by, ranking.top) },
    ...(ranking.others > 0 && { rest: { ...want, where: apart(tile.by, ranking.top) } }),
  };
}

export function linesOf(tile: KpiTile, title: string, feeds: Readonly<Record<string, Feed>>, ranking: Ranking | null): readonly Line[] {
  const { whole, slices, rest } = feeds;
  const { by } = tile;
  if (whole !== undefined) return [{ name: title, kind: "whole", points: whole.points }];
  if (by === null || ranking === null || slices === undefined) return [];
  const lines = slicesOf(slices.points, by, ranking);
  return rest === undefined ? lines : [...lines, { name: restName(ranking), kind: "rest", points: rest.points }];
}

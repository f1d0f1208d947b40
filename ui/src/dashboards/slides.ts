/** What a wall shows one after the other. */

import type { Dashboard, Kpi, KpiTile } from "../server/types.ts";

export interface SlideTile {
  readonly kpi: Kpi;
  readonly title: string;
}

export interface Slide {
  /** The same for a slide as long as it has the same KPIs. */
  readonly key: string;
  readonly title: string;
  readonly tiles: readonly SlideTile[];
}

/** As many numbers as can be read from across a room. */
export const MOST_TILES = 6;
export const EVERY_S = 20;
const LEAST_S = 3;
const MOST_S = 3_600;

/**
 * A slide or more for each dashboard, with each KPI once; for all KPIs where there is no dashboard. `only` names one dashboard. Slides of one
 * dashboard are about equally full.
 */
export function slidesOf(dashboards: readonly Dashboard[], kpis: readonly Kpi[], only: string | null, most = MOST_TILES): readonly Slide[] {
  const known = new Map(kpis.map((kpi) => [kpi.kpi, kpi]));
  const wanted = only === null ? dashboards : dashboards.filter((each) => each.name === only);
  const decks = wanted.map((each) => ({ title: each.title, tiles: tilesOf(each, known) })).filter((deck) => deck.tiles.length > 0);
  if (decks.length === 0) decks.push({ title: "All KPIs", tiles: kpis.map((kpi) => ({ kpi, title: kpi.title })) });
  return decks.flatMap(({ title, tiles }) => cut(title, tiles, most));
}

/** How long a slide stays, in ms, out of what the address says in seconds. */
export function everyOf(text: string | null): number {
  const seconds = text === null || text.trim() === "" ? NaN : Number(text);
  return (Number.isFinite(seconds) ? Math.min(MOST_S, Math.max(LEAST_S, seconds)) : EVERY_S) * 1_000;
}

function tilesOf(dashboard: Dashboard, known: ReadonlyMap<string, Kpi>): SlideTile[] {
  const found = new Map<string, SlideTile>();
  for (const tile of dashboard.rows.flatMap((row) => row.tiles)) {
    const kpi = isOfKpi(tile) ? known.get(tile.kpi) : undefined;
    if (kpi !== undefined && !found.has(kpi.kpi)) found.set(kpi.kpi, { kpi, title: (isOfKpi(tile) && tile.title) || kpi.title });
  }
  return [...found.values()];
}

function cut(title: string, tiles: readonly SlideTile[], most: number): Slide[] {
  const pages = Math.max(1, Math.ceil(tiles.length / most));
  const each = Math.ceil(tiles.length / pages);
  return Array.from({ length: pages }, (_, page) => {
    const part = tiles.slice(page * each, (page + 1) * each);
    return { key: JSON.stringify([title, ...part.map((tile) => tile.kpi.kpi)]), title: pages === 1 ? title : `${title} (${page + 1} of ${pages})`, tiles: part };
  });
}

export function isOfKpi(tile: Dashboard["rows"][number]["tiles"][number]): tile is KpiTile {
  return "kpi" in tile;
}

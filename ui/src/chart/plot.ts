/** A scene on a canvas, by uPlot: made anew only where other columns are shown or other colours, else given new data. */

import uPlot from "uplot";
import { type Ticks, ticksOf } from "./axis.ts";
import { type Colours, faded } from "./colours.ts";
import type { Column, Layer, Role } from "./layers.ts";
import { drawGrounds, drawMarks, ROWS_HEIGHT } from "./overlays.ts";
import { dashOf, styleOf } from "./dashes.ts";
import type { Scene } from "./scene.ts";

/** Room that a tick's text takes on the axis, in sizes of text. */
const TICK_ROOM = 4.8;
const UNSEEN: ReadonlySet<Role> = new Set(["low", "high", "predicted_low", "predicted_high"]);

export class Plot {
  #plot: uPlot | null = null;
  #scene: Scene | null = null;
  #made = "";
  #ticks: Ticks = { times_ms: [], distance_ms: 1 };
  #held_ms: number | null = null;

  /** `pointed` is told which time the pointer is at, null where it is at none. */
  constructor(
    private readonly root: HTMLElement,
    private readonly pointed: (time_ms: number | null) => void,
  ) {}

  /** The part that lines are drawn in; null before the first drawing. */
  get over(): HTMLElement | null {
    return this.#plot?.over ?? null;
  }

  get canvas(): HTMLCanvasElement | null {
    return this.#plot?.ctx.canvas ?? null;
  }

  /** Shows a scene in a size in px. */
  draw(scene: Scene, width: number, height: number): void {
    this.#scene = scene;
    const made = JSON.stringify([
      scene.drawing.layers.map(({ role, line }) => [role, line]),
      scene.lines.map(({ name, kind }) => [name, kind]),
      [scene.colours, scene.stepped, worded(scene)],
    ]);
    const plot = this.#plot;
    if (plot === null || made !== this.#made) {
      plot?.destroy();
      this.#made = made;
      this.#plot = new uPlot(this.#options(scene, width, height), dataOf(scene), this.root);
      return;
    }
    if (plot.width !== width || plot.height !== height) plot.setSize({ width, height });
    plot.batch(() => {
      plot.setData(dataOf(scene), false);
      plot.setScale("x", { min: scene.from_ms, max: scene.to_ms });
    });
    if (this.#held_ms !== null) this.hold(this.#held_ms);
  }

  /** Keeps the crosshair at a time, as the plot moves; null lets it go. */
  hold(time_ms: number | null): void {
    this.#held_ms = time_ms;
    const plot = this.#plot;
    if (plot === null) return;
    const left = time_ms === null ? -10 : plot.valToPos(time_ms, "x");
    plot.setCursor({ left, top: time_ms === null ? -10 : plot.over.clientHeight / 2 }, false);
  }

  /** Puts the crosshair where a finger is, in px from the left of what lines are drawn in. */
  point(left: number): void {
    this.#held_ms = null;
    this.#plot?.setCursor({ left, top: 0 });
  }

  /** Lets the crosshair follow the mouse again. */
  release(): void {
    this.#held_ms = null;
  }

  /** Marks a part as chosen, by times; null marks nothing. */
  choose(part: readonly [from_ms: number, to_ms: number] | null): void {
    const plot = this.#plot;
    if (plot === null) return;
    const [left, right] = part === null ? [0, 0] : part.map((each) => plot.valToPos(each, "x"));
    plot.setSelect({ left: left ?? 0, top: 0, width: (right ?? 0) - (left ?? 0), height: part === null ? 0 : plot.over.clientHeight }, false);
  }

  /** The time at a place, in px from the left of what lines are drawn in. */
  timeAt(left: number): number {
    return this.#plot?.posToVal(left, "x") ?? 0;
  }

  destroy(): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.#made = "";
  }

  #options(scene: Scene, width: number, height: number): uPlot.Options {
    const { colours } = scene;
    const last = (): Scene => this.#scene ?? scene;
    const font = `${Math.round(colours.size * 0.8)}px ${colours.font}`; // uPlot reads whole px only
    const grid = { stroke: colours.line, width: 1 };
    const top = worded(scene) ? colours.size * ROWS_HEIGHT : 8;
    return {
      ...{ width, height, ms: 1, pxAlign: true, legend: { show: false }, padding: [top, colours.size * 1.8, 0, 0] },
      series: [{}, ...scene.drawing.layers.map((layer) => this.#series(scene, layer))],
      bands: bandsOf(scene),
      scales: {
        x: { time: true, range: () => [last().from_ms, last().to_ms] },
        y: { range: () => [...last().drawing.extent] },
      },
      axes: [
        {
          ...{ stroke: colours.muted, font, lineGap: 1.3, size: colours.size * 3, gap: 4 },
          ...{ grid: { show: false }, ticks: { ...grid, size: 5 }, border: { show: true, stroke: colours.line, width: 1 } },
          splits: (plot, _axis, from_ms, to_ms) => {
            const most = Math.max(3, Math.floor(plot.bbox.width / devicePixelRatio / (colours.size * TICK_ROOM)));
            this.#ticks = ticksOf(from_ms, to_ms, most, last().offset);
            return [...this.#ticks.times_ms];
          },
          values: () => last().ticks.of(this.#ticks),
        },
        {
          ...{ stroke: colours.muted, font, gap: 6, grid, ticks: { show: false }, space: colours.size * 2.6 },
          // while there are no numbers there is no measure either
          values: (_plot, splits) => splits.map((value) => (last().drawing.times_ms.length === 0 ? "" : last().short(value))),
          size: (plot, values) => Math.ceil(widest(plot, values ?? [], font) + 16),
        },
      ],
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { show: (_plot, index) => hoverPoint(scene, index), size: 8 },
      },
      hooks: {
        drawClear: [(plot) => drawGrounds(plot, last())],
        draw: [(plot) => drawMarks(plot, last())],
        setCursor: [(plot) => this.#moved(plot)],
      },
    };
  }

  #moved(plot: uPlot): void {
    if (this.#held_ms !== null) return;
    const { left = -1, idx } = plot.cursor;
    this.pointed(left < 0 || idx === null || idx === undefined ? null : (plot.data[0]?.[idx] ?? null));
  }

  #series(scene: Scene, { role, line, values }: Layer): uPlot.Series {
    const of = scene.lines[line];
    const colour = (of && scene.colours.lines[styleOf(of, line)]) || scene.colours.accent;
    const alone = (): number[] => (UNSEEN.has(role) ? [] : isolated(values, this.#scene?.drawing.layers, role, line));
    return {
      ...(scene.stepped && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
      ...strokeOf(role, colour, scene.colours, of === undefined ? [] : dashOf(of, line)),
      points: { show: true, filter: alone, size: 5 * scaleOf(scene.colours), fill: colour },
    };
  }
}

/** Whether there are words above the plot. */
function worded({ compact, spans }: Scene): boolean {
  return !compact && spans.length > 0;
}

/** How much larger than usual text is: on a wall lines are as much thicker. */
function scaleOf({ size }: Colours): number {
  return size / 16;
}

function strokeOf(role: Role, colour: string, colours: Colours, dashes: number[]): uPlot.Series {
  const scale = scaleOf(colours);
  const dash = dashes.map((length) => length * scale);
  switch (role) {
    case "final":
      return { stroke: colour, width: 2 * scale, dash };
    case "open":
      return { stroke: faded(colour, 0.75), width: 2 * scale, dash: [2 * scale, 4 * scale], cap: "round" };
    case "predicted":
      return { stroke: colour, width: 1.5 * scale, dash: [6 * scale, 3 * scale] };
    case "before":
      return { stroke: faded(colours.muted, 0.8), width: 1.25 * scale, dash };
    default:
      return { stroke: "transparent", width: 0 };
  }
}

/** Between which columns the ground is filled: what is expected, and what a prediction may become. */
function bandsOf({ drawing, lines, colours }: Scene): uPlot.Band[] {
  const at = (role: Role, line: number): number => drawing.layers.findIndex((layer) => layer.role === role && layer.line === line) + 1;
  return lines.flatMap((line, number) => {
    const colour = colours.lines[styleOf(line, number)] ?? colours.accent;
    const found: uPlot.Band[] = [];
    if (at("high", number) > 0) found.push({ series: [at("high", number), at("low", number)], fill: faded(colours.muted, 0.16) });
    if (at("predicted_high", number) > 0) found.push({ series: [at("predicted_high", number), at("predicted_low", number)], fill: faded(colour, 0.2) });
    return found;
  });
}

/** The places of values without neighbours, which a line does not show. */
function isolated(before: Column, layers: readonly Layer[] | undefined, role: Role, line: number): number[] {
  const values = layers?.find((layer) => layer.role === role && layer.line === line)?.values ?? before;
  const has = (index: number): boolean => (values[index] ?? null) !== null;
  return values.flatMap((value, index) => (value !== null && !has(index - 1) && !has(index + 1) ? [index] : []));
}

/** uPlot's data; it wants some even where there are none. */
function dataOf({ drawing, from_ms, to_ms }: Scene): uPlot.AlignedData {
  if (drawing.times_ms.length > 0) return [[...drawing.times_ms], ...drawing.layers.map((layer) => layer.values)];
  return [[from_ms, to_ms], ...drawing.layers.map(() => [null, null])];
}

function widest(plot: uPlot, texts: readonly string[], font: string): number {
  plot.ctx.save();
  plot.ctx.font = font;
  const found = Math.max(24, ...texts.map((text) => plot.ctx.measureText(text).width));
  plot.ctx.restore();
  return found;
}

/** The dot at the crosshair: one for each column that is a line's own. */
function hoverPoint({ drawing, lines, colours }: Scene, index: number): HTMLElement {
  const dot = document.createElement("div");
  const layer = drawing.layers[index - 1];
  if (layer === undefined || UNSEEN.has(layer.role)) {
    dot.hidden = true;
    return dot;
  }
  const line = lines[layer.line];
  dot.style.setProperty("background", (line && colours.lines[styleOf(line, layer.line)]) ?? colours.accent);
  return dot;
}

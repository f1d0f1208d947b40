/** What is drawn beside the lines: grounds below them, marks and words above. */

import type uPlot from "uplot";
import { faded } from "./colours.ts";
import type { Scene, Span } from "./scene.ts";

const ROW = { alert: 0, note: 1 } as const;
const SIGN = { alert: "▲", note: "◆" } as const;
/** Rows of words above the plot, in sizes of text. */
export const ROWS_HEIGHT = 2.9;

/** Where spans and what is provisional lie. */
export function drawGrounds(plot: uPlot, scene: Scene): void {
  const { ctx, bbox } = plot;
  const { colours, drawing } = scene;
  for (const kind of ["note", "alert"] as const) {
    const lasting = scene.spans.filter((span) => span.kind === kind).map((span) => bounds(plot, scene, span));
    // within what is restored: uPlot sets a colour only where it is another than the last that itself has set
    inside(plot, () => {
      ctx.fillStyle = faded(kind === "alert" ? colours.alert : colours.accent, 0.09);
      for (const [left, right] of united(lasting)) ctx.fillRect(left, bbox.top, right - left, bbox.height);
    });
  }
  if (drawing.open_ms === null) return;
  const left = plot.valToPos(drawing.open_ms, "x", true);
  inside(plot, () => hatch(ctx, left, bbox, faded(colours.muted, 0.16)));
}

/** Stretches with those that overlap made one, so that many at once are no darker than one. */
export function united(stretches: readonly (readonly [left: number, right: number])[]): (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (const [left, right] of [...stretches].sort((one, other) => one[0] - other[0])) {
    const last = found.at(-1);
    if (last !== undefined && left <= last[1]) last[1] = Math.max(last[1], right);
    else found.push([left, right]);
  }
  return found;
}

/** Lines and words above what is drawn. */
export function drawMarks(plot: uPlot, scene: Scene): void {
  if (scene.target !== null) drawTarget(plot, scene, scene.target);
  const ends: Record<Span["kind"], number> = { alert: -Infinity, note: -Infinity };
  for (const span of [...scene.spans].sort((one, other) => one.from_ms - other.from_ms)) drawSpan(plot, scene, span, ends);
  drawCorrections(plot, scene);
}

/** Fine slanting lines, so that what is provisional is seen without colour too. */
function hatch(ctx: CanvasRenderingContext2D, left: number, bbox: uPlot.BBox, colour: string): void {
  const gap = 7 * devicePixelRatio;
  const right = bbox.left + bbox.width;
  ctx.beginPath();
  ctx.rect(left, bbox.top, right - left, bbox.height);
  ctx.clip();
  ctx.beginPath();
  for (let x = left - bbox.height; x < right; x += gap) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.lineWidth = devicePixelRatio;
  ctx.strokeStyle = colour;
  ctx.stroke();
}

function drawSpan(plot: uPlot, scene: Scene, span: Span, ends: Record<Span["kind"], number>): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const [left, right] = bounds(plot, scene, span);
  if (right < bbox.left || left > bbox.left + bbox.width) return;
  const colour = span.kind === "alert" ? scene.colours.alert : scene.colours.text;
  const from = Math.max(left, bbox.left);
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = ratio;
  if (span.kind === "alert") ctx.fillRect(from, bbox.top - 3 * ratio, Math.min(right, bbox.left + bbox.width) - from, 3 * ratio);
  if (left >= bbox.left) {
    ctx.setLineDash(span.kind === "note" ? [4 * ratio, 4 * ratio] : []);
    ctx.beginPath();
    ctx.moveTo(left, bbox.top - 3 * ratio);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
  }
  if (!scene.compact) ends[span.kind] = drawWords(plot, scene, span, from, ends[span.kind]);
  ctx.restore();
}

/** Writes what fits behind the words before; its sign always. Returns where the words end. */
function drawWords(plot: uPlot, scene: Scene, span: Span, from: number, taken: number): number {
  const { ctx, bbox } = plot;
  const size = scene.colours.size * 0.8 * devicePixelRatio;
  if (from < taken) return taken;
  ctx.font = `${size}px ${scene.colours.font}`;
  ctx.textBaseline = "bottom";
  ctx.textAlign = "left";
  const text = fitted(ctx, `${SIGN[span.kind]} ${span.text}`, 14 * size);
  const end = bbox.left + bbox.width + size;
  const width = ctx.measureText(text).width;
  // at the right edge the words end where the line stands
  const left = from + width <= end ? from : Math.max(taken, end - width);
  const y = bbox.top - 5 * devicePixelRatio - (1 - ROW[span.kind]) * size * 1.35;
  ctx.fillText(fitted(ctx, text, end - left), left, y);
  return left + width + size * 0.6;
}

/** A text that is no wider than may be: its beginning, and that there is more. */
export function fitted(ctx: Pick<CanvasRenderingContext2D, "measureText">, text: string, most: number): string {
  if (ctx.measureText(text).width <= most) return text;
  const letters = [...text];
  let count = letters.length;
  while (count > 1 && ctx.measureText(`${letters.slice(0, count).join("")}…`).width > most) count -= 1;
  return `${letters.slice(0, count).join("").trimEnd()}…`;
}

function drawTarget(plot: uPlot, scene: Scene, target: number): void {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(target, "y", true);
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  const size = scene.colours.size * 0.8 * devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = scene.colours.text;
  ctx.lineWidth = 1.25 * devicePixelRatio;
  ctx.setLineDash([10 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${size}px ${scene.colours.font}`;
  const above = y - size * 1.4 > bbox.top;
  ctx.textAlign = "left";
  ctx.textBaseline = above ? "bottom" : "top";
  const text = `target ${scene.short(target)}`;
  const at = [bbox.left + 6 * devicePixelRatio, y + (above ? -3 : 3) * devicePixelRatio] as const;
  // a rim of the ground's colour keeps the words readable over a line
  ctx.setLineDash([]);
  ctx.lineJoin = "round";
  ctx.lineWidth = 4 * devicePixelRatio;
  ctx.strokeStyle = scene.colours.surface;
  ctx.strokeText(text, ...at);
  ctx.fillText(text, ...at);
  ctx.restore();
}

/** A hollow diamond where a late event changed what had been final. */
function drawCorrections(plot: uPlot, scene: Scene): void {
  const { ctx } = plot;
  const reach = 5 * devicePixelRatio;
  inside(plot, () => {
    ctx.lineWidth = 1.75 * devicePixelRatio;
    ctx.strokeStyle = scene.colours.text;
    ctx.fillStyle = scene.colours.surface;
    for (const { time_ms, value } of scene.drawing.corrected) {
      const [x, y] = [plot.valToPos(time_ms, "x", true), plot.valToPos(value, "y", true)];
      ctx.beginPath();
      ctx.moveTo(x, y - reach);
      ctx.lineTo(x + reach, y);
      ctx.lineTo(x, y + reach);
      ctx.lineTo(x - reach, y);
      ctx.closePath();
      ctx.fill();
      ctx.stroke();
    }
  });
}

function bounds(plot: uPlot, scene: Scene, span: Span): [left: number, right: number] {
  const left = plot.valToPos(span.from_ms, "x", true);
  const lasting = span.kind === "alert" && span.to_ms === null;
  const to_ms = span.to_ms ?? (lasting ? scene.now_ms : span.from_ms);
  return [left, Math.max(left, plot.valToPos(to_ms, "x", true))];
}

/** Draws what may not leave the plot's area. */
function inside(plot: uPlot, draw: () => void): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw();
  ctx.restore();
}

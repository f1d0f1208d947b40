/** A chart as a PNG, with what one must know to read it: title, range, legend. */

import type { Colours } from "./colours.ts";
import { dashOf, styleOf } from "./dashes.ts";
import type { Line } from "./layers.ts";
import type { Sign } from "./legend.ts";

export interface Caption {
  readonly title: string;
  readonly range: string;
  readonly lines: readonly Line[];
  /** What else the legend says, each with its sign. */
  readonly others: readonly (readonly [Sign, string])[];
}

/** Draws a chart's canvas with its caption on one of its own. */
export async function pictureOf(chart: HTMLCanvasElement, caption: Caption, colours: Colours): Promise<Blob> {
  const size = colours.size * devicePixelRatio;
  const margin = size;
  const canvas = document.createElement("canvas");
  canvas.width = chart.width + 2 * margin;
  const found = canvas.getContext("2d");
  if (found === null) throw new Error("This browser gives no canvas to draw the picture on.");
  const small = `${size * 0.85}px ${colours.font}`;
  found.font = small;
  const rows = rowsOf(found, caption, canvas.width - 2 * margin, size);
  canvas.height = chart.height + 2 * margin + size * 3.4 + rows.length * size * 1.6;
  const ctx = found; // a new height has made it blank
  ctx.fillStyle = colours.surface;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.fillStyle = colours.text;
  ctx.font = `600 ${size * 1.2}px ${colours.font}`;
  ctx.textBaseline = "top";
  ctx.fillText(caption.title, margin, margin);
  ctx.font = small;
  ctx.fillStyle = colours.muted;
  ctx.fillText(caption.range, margin, margin + size * 1.7);
  ctx.drawImage(chart, margin, margin + size * 3.2);
  ctx.textBaseline = "middle";
  rows.forEach((row, index) => {
    const y = margin + size * 3.2 + chart.height + size * (1 + index * 1.6);
    for (const entry of row) drawEntry(ctx, entry, margin, y, size, colours);
  });
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob === null ? reject(new Error("The picture could not be made.")) : resolve(blob)), "image/png"),
  );
}

interface Entry {
  readonly text: string;
  readonly x: number;
  /** A line's name of colour, or a sign. */
  readonly style: string;
  readonly dash: readonly number[];
}

/** How the lines that are no series are dashed. */
const OTHERS: Readonly<Partial<Record<Sign, readonly number[]>>> = { open: [2, 4], predicted: [6, 3], target: [10, 3] };

/** The legend's entries, as many a row as fit. */
function rowsOf(ctx: CanvasRenderingContext2D, caption: Caption, width: number, size: number): Entry[][] {
  const rows: Entry[][] = [];
  let x = Infinity;
  const entries = [
    ...caption.lines.map((line, place) => ({ text: line.name, style: styleOf(line, place), dash: dashOf(line, place) })),
    ...caption.others.map(([sign, text]) => ({ text, style: sign, dash: OTHERS[sign] ?? [] })),
  ];
  for (const entry of entries) {
    const wide = ctx.measureText(entry.text).width + size * 4;
    if (x + wide > width) {
      rows.push([]);
      x = 0;
    }
    rows.at(-1)?.push({ ...entry, x });
    x += wide;
  }
  return rows;
}

function drawEntry(ctx: CanvasRenderingContext2D, { text, x, style, dash }: Entry, margin: number, y: number, size: number, colours: Colours): void {
  const left = margin + x;
  const others: Readonly<Record<string, string>> = { before: colours.muted, target: colours.text, corrected: colours.text, band: colours.muted };
  ctx.strokeStyle = ctx.fillStyle = colours.lines[style] ?? others[style] ?? colours.lines["line-0"] ?? colours.accent;
  ctx.lineWidth = size * 0.12;
  ctx.setLineDash(dash.map((each) => each * devicePixelRatio));
  if (style === "band") {
    ctx.globalAlpha = 0.25;
    ctx.fillRect(left, y - size * 0.4, size * 2, size * 0.8);
    ctx.globalAlpha = 1;
  } else {
    ctx.beginPath();
    if (style === "corrected") ctx.rect(left + size * 0.7, y - size * 0.3, size * 0.6, size * 0.6);
    else ctx.moveTo(left, y);
    if (style !== "corrected") ctx.lineTo(left + size * 2, y);
    ctx.stroke();
  }
  ctx.fillStyle = colours.text;
  ctx.fillText(text, left + size * 2.4, y);
}

/** What is what in a chart: its lines, and what else is drawn. */

import { css, html, nothing, svg, type TemplateResult } from "lit";
import type { Line } from "./layers.ts";
import { styleOf } from "./dashes.ts";

export const legendStyles = css`
  .legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 6px 0 0; padding: 0; list-style: none; font-size: 0.9rem; }
  .legend li { display: flex; align-items: center; gap: 6px; min-height: 28px; }
  .legend button { display: flex; align-items: center; gap: 6px; border-color: transparent; padding: 1px 6px; min-height: 28px; background: none; }
  .legend button:hover { border-color: var(--edge); }
  .legend .value { color: var(--muted); min-width: 5.5em; }
  @media (max-width: 700px) {
    .legend { gap: 2px 4px; }
    .legend .value { min-width: 4.5em; }
  }
  .swatch { width: 30px; height: 12px; flex: none; fill: none; stroke-width: 2.5; }
  .swatch .open { stroke: var(--line-0); stroke-dasharray: 2 4; stroke-linecap: round; }
  .swatch .predicted { stroke: var(--line-0); stroke-dasharray: 6 3; stroke-width: 1.5; }
  .swatch .before { stroke: var(--muted); stroke-width: 1.25; }
  .swatch .target { stroke: var(--text); stroke-width: 1.25; stroke-dasharray: 10 3; }
  .swatch .band { fill: var(--muted); fill-opacity: 0.22; stroke: none; }
  .swatch .corrected { stroke: var(--text); stroke-width: 1.75; }
`;

const SIGNS = {
  open: "M1 6H29",
  predicted: "M1 6H29",
  before: "M1 6H29",
  target: "M1 6H29",
  band: "M1 1H29V11H1Z",
  corrected: "M15 1L20 6L15 11L10 6Z",
} as const;
export type Sign = keyof typeof SIGNS;

export function legend(
  lines: readonly Line[],
  values: readonly (string | null)[],
  others: readonly (readonly [Sign, string])[],
  pick: (line: Line) => void,
): TemplateResult {
  return html`<ul class="legend" aria-label="Legend">
    ${lines.map((line, place) => {
      const inner = html`${swatch(`M1 6H29`, styleOf(line, place))}<span>${line.name}</span>${values[place] === undefined ? nothing : html`<span class="value">${values[place]}</span>`}`;
      if (line.kind !== "slice") return html`<li>${inner}</li>`;
      return html`<li><button @click=${() => pick(line)} title="Show ${line.name} alone">${inner}</button></li>`;
    })}
    ${others.map(([sign, text]) => html`<li>${swatch(SIGNS[sign], sign)}<span>${text}</span></li>`)}
  </ul>`;
}

function swatch(path: string, name: string): TemplateResult {
  return html`<svg class="swatch" viewBox="0 0 30 12" aria-hidden="true">${svg`<path class=${name} d=${path} />`}</svg>`;
}

/** A small line without axes, for cards. */

import { css, html, LitElement, nothing, svg, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Point } from "../server/types.ts";
import { HEIGHT, sparkOf, WIDTH } from "./spark.ts";

@customElement("lk-sparkline")
export class Sparkline extends LitElement {
  static override styles = css`
    :host { display: block; height: 48px; }
    svg { display: block; width: 100%; height: 100%; overflow: visible; }
    path { fill: none; stroke: var(--spark, var(--accent)); stroke-width: 0.11rem; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
    .provisional { stroke-dasharray: 2 4; }
    .ground { stroke: none; fill: var(--spark, var(--accent)); fill-opacity: 0.1; }
    .end { stroke-width: 0.375rem; }
  `;

  /** In order of time, of one series. */
  @property({ attribute: false }) points: readonly Point[] = [];
  /** How much time the width stands for, up to `now` (both in ms). */
  @property({ attribute: false }) span_ms = 3_600_000;
  @property({ attribute: false }) now = 0;
  /** What a screen reader says in its place; without one it is decoration only. */
  @property() label = "";

  override render(): TemplateResult {
    const found = sparkOf(this.points, this.span_ms, this.now);
    return html`<svg
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      preserveAspectRatio="none"
      role=${this.label ? "img" : "presentation"}
      aria-label=${this.label || nothing}
      aria-hidden=${this.label ? nothing : "true"}
    >
      ${svg`<path class="ground" d=${found.ground} /><path class="final" d=${found.final} /><path class="provisional" d=${found.provisional} />`}
      ${found.end && svg`<path class="end" d="M${found.end[0]} ${found.end[1]}h0" />`}
    </svg>`;
  }
}

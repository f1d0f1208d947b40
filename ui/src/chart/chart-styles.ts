/** Styles of a chart. */

import { css } from "lit";

export const chartStyles = css`
  .say { min-height: 1.5em; margin-bottom: 6px; font-size: 0.9rem; color: var(--muted); overflow-wrap: anywhere; }
  @media (max-width: 700px) { .say.one { min-height: 4.5em; } }
  /* over the half of the plot that is not looked at */
  .tip {
    position: absolute; top: 0; inset-inline-end: 0; max-width: 60%; padding: 4px 8px; pointer-events: none; z-index: 1; font-size: 0.8rem;
    background: var(--surface); border: 1px solid var(--line); border-radius: 6px; color: var(--text); overflow-wrap: anywhere;
  }
  .tip.start { inset-inline: 0 auto; }
  .framed { position: relative; }
  .plot { height: var(--chart-height, clamp(260px, 44vh, 900px)); position: relative; overflow: hidden; }
  /* in a tile: what height there is */
  :host([compact]) { display: flex; flex-direction: column; }
  :host([compact]) .framed { flex: 1; }
  :host([compact]) .plot { position: absolute; inset: 0; height: auto; }
  .plot:focus-visible { outline-offset: 0; }
  .u-select { background: var(--accent); opacity: 0.18; }
  .u-hz .u-cursor-x { border-right: 1px dashed var(--muted); }
  .u-cursor-pt[hidden] { display: none; }
  /* where colours are forced: what is read for the canvas, and what lies over it, as the page says */
  .probe, .u-select, .u-cursor-pt, .u-cursor-x { forced-color-adjust: none; }
`;

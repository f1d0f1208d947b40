/** Styles of a KPI's view. */

import { css } from "lit";

export const viewStyles = css`
  :host { display: grid; gap: var(--gap); grid-template-columns: minmax(0, 1fr); }
  lk-chart { margin-top: 12px; }
  .foot { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; justify-content: flex-end; margin-top: 8px; font-size: 0.9rem; }
  .foot .muted { margin-inline-end: auto; }
  .facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 14px; margin: 8px 0 0; overflow-wrap: anywhere; }
  .facts dt { color: var(--muted); }
  .facts dd { margin: 0; }
  code { font-family: var(--mono); font-size: 0.9em; }
  @media (max-width: 700px) { .panel { padding: 12px; } }
  .panels { display: grid; gap: var(--gap); grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); align-items: start; }
  .panels header { display: flex; justify-content: space-between; align-items: center; gap: 8px; min-height: 36px; }
  .panels ul { list-style: none; margin: 8px 0 0; padding: 0; display: grid; gap: 8px; max-height: 20rem; overflow: auto; }
  .panels li { display: flex; gap: 8px; align-items: start; overflow-wrap: anywhere; }
  .small { font-size: 0.9rem; }
  .bar { display: block; width: 100%; height: 8px; margin: 8px 0; }
  .bar .whole { fill: var(--raised); }
  .bar .done { fill: var(--accent); }
  .bar .gone { fill: var(--text); }
`;

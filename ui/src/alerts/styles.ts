/** Styles that the alerts' elements share. */

import { css } from "lit";

export const listing = css`
  .state.plain { color: var(--text); background: var(--raised); }
  .line { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; }
  .line .end { margin-inline-start: auto; display: flex; flex-wrap: wrap; gap: 8px; }
  .strong { font-weight: 600; }
  .number { font-variant-numeric: tabular-nums; }
  .break { overflow-wrap: anywhere; }
  .stack { display: grid; gap: var(--gap); grid-template-columns: minmax(0, 1fr); }
  .tight { display: grid; gap: 6px; grid-template-columns: minmax(0, 1fr); }
  .fields { display: flex; flex-wrap: wrap; gap: 8px var(--gap); align-items: end; }
  .fields label { display: grid; gap: 3px; font-size: 0.9rem; color: var(--muted); }
  .fields label > * { color: var(--text); font-size: 1rem; }
  ul { list-style: none; margin: 0; padding: 0; }
  summary { cursor: pointer; padding: 4px 0; min-height: 24px; }
  .error:empty { display: none; }
  pre { margin: 0; font-family: var(--mono); font-size: 0.9rem; white-space: pre-wrap; overflow-wrap: anywhere; }
  code { font-family: var(--mono); font-size: 0.95em; overflow-wrap: anywhere; }
  th { font-weight: 600; color: var(--muted); font-size: 0.9rem; white-space: nowrap; }
`;

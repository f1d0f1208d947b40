/** How a card looks: of a fixed height, so that nothing moves as numbers come. */

import { css } from "lit";

export const cardStyles = css`
  :host { display: block; height: 100%; container-type: inline-size; }
  article.panel { position: relative; height: 100%; min-height: 14.5rem; display: flex; flex-direction: column; padding: 14px 16px 10px; overflow: hidden; contain: layout; }
  article.alert { border-color: var(--alert); box-shadow: inset 4px 0 var(--alert); }
  article.watch { border-color: var(--watch); box-shadow: inset 4px 0 var(--watch); }
  article:hover { border-color: var(--edge); }
  article > * { flex: none; }
  header { display: flex; align-items: start; gap: 8px; justify-content: space-between; min-height: 1.7rem; }
  .title { font-size: 1rem; font-weight: 600; line-height: 1.35; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .title a { color: var(--text); text-decoration: none; }
  /* the whole card follows the link */
  .title a::after { content: ""; position: absolute; inset: 0; }
  .title a:hover { text-decoration: underline; text-decoration-color: var(--accent); }
  .title a:focus-visible { outline: none; }
  article:has(.title a:focus-visible) { outline: 3px solid var(--accent); outline-offset: 2px; }
  .state { flex: none; }
  .value { font-size: clamp(2rem, 9cqi, 3.25rem); font-weight: 650; line-height: 1.25; letter-spacing: -0.02em; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  .line { font-size: 0.85rem; line-height: 1.5; min-height: 1.5em; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  .change { font-weight: 600; }
  .better { color: var(--fine); }
  .worse { color: var(--alert); }
  article > lk-sparkline { flex: 1 1 1.6rem; min-height: 1.6rem; height: auto; margin: 0 0 6px; padding-top: 6px; }
  article.alert lk-sparkline { --spark: var(--alert); }
  article.watch lk-sparkline { --spark: var(--watch); }
  .pace { font-size: 0.8rem; min-height: 1.85rem; }
  .bar { display: block; width: 100%; height: 5px; margin-bottom: 3px; }
  .bar .whole { fill: var(--raised); }
  .bar .done { fill: var(--accent); }
  .bar .gone { fill: var(--text); }
  .clipped { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; min-width: 0; }
  footer { display: flex; justify-content: space-between; gap: 10px; font-size: 0.8rem; min-height: 1.4em; }
`;

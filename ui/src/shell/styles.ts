/** Styles that several elements share. */

import { css } from "lit";

export const shared = css`
  :host { display: block; }
  *, *::before, *::after { box-sizing: border-box; }
  h1, h2, h3, p { margin: 0; }
  h1 { font-size: 1.4rem; line-height: 1.2; }
  h2 { font-size: 1.1rem; }
  a { color: var(--accent); }
  button, select, input, textarea { font: inherit; color: inherit; }
  button, select, input, textarea {
    background: var(--surface); border: 1px solid var(--edge); border-radius: 6px; padding: 5px 10px; min-height: 36px; max-width: 100%;
  }
  button { cursor: pointer; }
  button:hover { background: var(--raised); }
  button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
  button[aria-pressed="true"] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
  @media (forced-colors: active) { button[aria-pressed="true"] { forced-color-adjust: none; } }
  button:disabled { opacity: 0.6; cursor: default; }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
  .muted { color: var(--muted); }
  .error { color: var(--alert); }
  .panel { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); padding: var(--gap); }
  @media print { .panel { break-inside: avoid; } }
  .state { font-weight: 600; border-radius: 999px; padding: 1px 9px; font-size: 0.85em; white-space: nowrap; outline: 1px solid transparent; outline-offset: -1px; } /* an outline where colours are forced */
  .state.fine { color: var(--fine); background: var(--fine-ground); }
  .state.watch { color: var(--watch); background: var(--watch-ground); }
  .state.alert { color: var(--alert); background: var(--alert-ground); }
  .state.none { font-weight: 400; color: var(--muted); padding-inline: 0; outline: 0; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: start; padding: 6px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
  td.number, th.number { text-align: end; }
  .scroll { overflow-x: auto; position: relative; } /* hidden texts stay within */
  .hidden-text { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

/** Of a dialog with a form; `--dialog` is how wide it would like to be. */
export const dialogs = css`
  dialog {
    width: min(var(--dialog), calc(100vw - 24px)); border: 1px solid var(--line); border-radius: var(--radius); padding: 20px;
    background: var(--surface); color: var(--text);
  }
  dialog::backdrop { background: rgb(0 0 0 / 50%); }
  form { display: grid; gap: 14px; }
  .ends { display: flex; justify-content: flex-end; gap: 10px; }
`;

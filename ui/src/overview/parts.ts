/** Pieces that cards, tiles and the wall have in common. */

import { html, nothing, svg, type TemplateResult } from "lit";
import type { Change } from "./change.ts";
import type { PaceWords } from "./pace-words.ts";
import type { Standing } from "./state.ts";

const ARROWS = { up: "▲", down: "▼", same: "=" } as const;

/** The state in a word, on its colour; why, for who points at it or has it read out. Nothing where there is no word. */
export function stateWord({ state, word, why }: Standing): TemplateResult | typeof nothing {
  if (word === "") return nothing;
  return html`<span class="state ${state}" title=${why || nothing}>${word}${why && html`<span class="hidden-text">: ${why}</span>`}</span>`;
}

/** How a number has changed; whether that is good is said in a word, since colour and arrow alone do not say it. */
export function changeLine(change: Change | null | undefined): TemplateResult | typeof nothing {
  if (change === undefined) return nothing;
  if (change === null) return html`<span class="muted">nothing earlier to compare with</span>`;
  return html`<span title=${change.full}
    ><span class="change ${change.verdict}"><span aria-hidden="true">${ARROWS[change.direction]}</span> ${change.amount}</span>
    <span class="muted">${change.against}</span></span
  >`;
}

/** How much of a target is there, with a mark at how much of its time is gone. */
export function paceBar(words: PaceWords): TemplateResult {
  return html`<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<rect class="whole" width="100" height="6" /><rect class="done" width=${words.done * 100} height="6" />
    <rect class="gone" x=${Math.min(99.3, words.gone * 100)} width="0.7" height="6" />`}
  </svg>`;
}

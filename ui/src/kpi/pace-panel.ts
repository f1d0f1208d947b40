/** A KPI's target: where the running period stands and is heading. */

import { html, type TemplateResult } from "lit";
import { paceBar } from "../overview/parts.ts";
import { paceWords } from "../overview/pace-words.ts";
import type { Kpi, Pace } from "../server/types.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { plainTarget } from "./target.ts";

export function pacePanel(page: Page, kpi: Kpi, pace: Pace | null): TemplateResult {
  return html`<section class="panel" aria-labelledby="pace-title">
    <header><h2 id="pace-title">Target</h2></header>
    ${pace === null ? plain(page, kpi) : paced(page, kpi, pace)}
  </section>`;
}

/** A target that values are not added up to. */
function plain(page: Page, kpi: Kpi): TemplateResult {
  const target = plainTarget(kpi.target);
  const text = target === null ? "No target is running at present." : `${page.numbers.text(target.value, kpi.unit)} each ${target.period}.`;
  return html`<p class="muted">${text}</p>`;
}

function paced(page: Page, kpi: Kpi, pace: Pace): TemplateResult {
  const times = timesOf(page, kpi);
  const words = paceWords(pace, kpi, page.numbers, times, page.clock.now());
  const text = (value: number | null): string => page.numbers.text(value, kpi.unit, { compact: true });
  const between = pace.low === null || pace.high === null ? "" : `, between ${text(pace.low)} and ${text(pace.high)} in 19 cases of 20`;
  return html`
    <p>${words.heading === "" ? words.stands : html`The period is <strong>${words.heading}</strong>${between}.`}</p>
    ${paceBar(words)}
    <p class="muted small">
      ${text(pace.so_far)} so far; ${page.numbers.text(Math.round(words.gone * 100) / 100, "ratio")} of the time is gone. It ends ${times.full(Date.parse(pace.to))}.
    </p>
  `;
}

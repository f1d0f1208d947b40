/** What a KPI is: how it is computed, from what, and who answers for it. */

import { html, nothing, type TemplateResult } from "lit";
import type { Kpi } from "../server/types.ts";

export function aboutPanel(kpi: Kpi): TemplateResult {
  return html`<section class="panel" aria-labelledby="about-title">
    <header><h2 id="about-title">About</h2></header>
    <dl class="facts">
      <dt>Value</dt><dd><code>${kpi.value}</code></dd>
      <dt>Every</dt><dd>${kpi.every}${kpi.over === kpi.every ? nothing : `, over the last ${kpi.over}`}</dd>
      ${fact("Sliced by", kpi.by.join(", "))} ${fact("Good", kpi.good === null ? "" : `when it goes ${kpi.good}`)}
      ${fact("Owner", kpi.owner ?? "")} ${fact(kpi.sources.length === 1 ? "Source" : "Sources", kpi.sources.join(", "))}
    </dl>
  </section>`;
}

function fact(name: string, text: string): TemplateResult | typeof nothing {
  return text === "" ? nothing : html`<dt>${name}</dt><dd>${text}</dd>`;
}

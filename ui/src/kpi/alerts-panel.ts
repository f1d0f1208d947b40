/** The alerts of a KPI: those that are on, and those that were in the range that is shown. */

import { html, nothing, type TemplateResult } from "lit";
import type { Alert, Kpi } from "../server/types.ts";
import { type Page, timesOf } from "../shell/page.ts";

const KINDS: Readonly<Record<string, string>> = { firing: "alert", pending: "watch" };

export function alertsPanel(page: Page, kpi: Kpi, present: readonly Alert[], past: readonly Alert[]): TemplateResult {
  const over = past.filter((alert) => alert.ended !== null);
  const rules = kpi.watched.length === 0 ? html`<p class="muted">No alert rule asks this KPI.</p>` : nothing;
  const none = kpi.watched.length > 0 && present.length + over.length === 0;
  return html`<section class="panel" aria-labelledby="alerts-title">
    <header><h2 id="alerts-title">Alerts</h2><a href="/alerts">all alerts</a></header>
    ${rules}${none ? html`<p class="muted">Nothing fired in this range. Watched by ${kpi.watched.join(", ")}.</p>` : nothing}
    <ul tabindex="0" aria-label="Alerts of ${kpi.title}">
      ${[...present, ...over].map((alert) => entry(page, kpi, alert))}
    </ul>
  </section>`;
}

function entry(page: Page, kpi: Kpi, alert: Alert): TemplateResult {
  const times = timesOf(page, kpi);
  const time = (text: string): string => times.full(Date.parse(text));
  const note = alert.note ? ` · ${alert.note}` : "";
  return html`<li>
    <span class="state ${KINDS[alert.status] ?? "none"}">${alert.status}</span>
    <div>
      ${alert.summary}
      <div class="muted small">${time(alert.started)}${alert.ended === null ? " until now" : ` to ${time(alert.ended)}`}${note}</div>
    </div>
  </li>`;
}

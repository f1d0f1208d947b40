/** What fires at present, by name, above all else. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Alert } from "../server/types.ts";
import { isGrave, worstFirst } from "./state.ts";
import { Follow } from "../shell/follow.ts";
import type { Page } from "../shell/page.ts";
import { kpiPath } from "../shell/router.ts";
import { shared } from "../shell/styles.ts";
import "./ago.ts";

const MOST = 6;

@customElement("lk-alert-strip")
export class AlertStrip extends LitElement {
  static override styles = [
    shared,
    css`
      section { --tone: var(--watch); border: 1px solid var(--tone); background: var(--watch-ground); border-radius: var(--radius); padding: 10px 14px; }
      section.grave { --tone: var(--alert); background: var(--alert-ground); }
      h2 { font-size: 1rem; color: var(--tone); }
      ul { list-style: none; margin: 4px 0 0; padding: 0; display: grid; gap: 2px 24px; grid-template-columns: repeat(auto-fill, minmax(min(30rem, 100%), 1fr)); }
      li { display: flex; flex-wrap: wrap; gap: 0 8px; align-items: baseline; padding: 3px 0; color: var(--text); }
      a { color: var(--text); font-weight: 600; }
      .series { overflow-wrap: anywhere; }
      lk-ago { font-size: 0.85rem; }
    `,
  ];

  @property({ attribute: false }) page!: Page;

  constructor() {
    super();
    new Follow(this, () => this.page.board, "changed");
  }

  override render(): TemplateResult | typeof nothing {
    const firing = worstFirst(this.page.board.alerts.filter((alert) => alert.status === "firing"));
    if (firing.length === 0) return nothing;
    const rest = firing.length - MOST;
    return html`<section class=${isGrave(firing[0]) ? "grave" : ""} aria-labelledby="heading">
      <div role="status"><h2 id="heading">${firing.length === 1 ? "1 alert fires" : `${firing.length} alerts fire`}</h2></div>
      <ul>
        ${firing.slice(0, rest === 1 ? MOST + 1 : MOST).map((alert) => this.#alert(alert))}
        ${rest > 1 ? html`<li><a href="/alerts">and ${rest} more</a></li>` : nothing}
      </ul>
    </section>`;
  }

  #alert(alert: Alert): TemplateResult {
    const kpi = this.page.kpis.find((each) => each.watched.includes(alert.rule));
    const series = Object.entries(alert.series).map(([name, value]) => `${name} ${value || "(none)"}`);
    const said = alert.acknowledged_by !== null ? `${alert.acknowledged_by.author} looks after it` : alert.silenced_by !== null ? "silenced" : "";
    return html`<li>
      <a href=${kpi === undefined ? "/alerts" : kpiPath(kpi.kpi)}>${alert.title}</a>
      ${alert.severity === null ? nothing : html`<span>${alert.severity}</span>`}
      ${series.length === 0 ? nothing : html`<span class="series">${series.join(", ")}</span>`}
      <lk-ago .page=${this.page} .time_ms=${Date.parse(alert.started)}></lk-ago>
      ${said ? html`<span>${said}</span>` : nothing}
    </li>`;
  }
}

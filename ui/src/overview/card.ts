/** A KPI at a glance. */

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import "../chart/sparkline.ts";
import type { Kpi, Pace } from "../server/types.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { kpiPath } from "../shell/router.ts";
import { shared } from "../shell/styles.ts";
import "./ago.ts";
import { cardStyles } from "./card-styles.ts";
import { Glance, type Seen } from "./glance.ts";
import { paceWords } from "./pace-words.ts";
import { changeLine, paceBar, stateWord } from "./parts.ts";
import type { Wish } from "./windows.ts";

@customElement("lk-card")
export class Card extends LitElement {
  static override styles = [shared, cardStyles];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) kpi!: Kpi;
  @property({ attribute: false }) wish: Wish = "minute";
  /** What stands above it in place of the KPI's own title. */
  @property({ attribute: false }) heading: string | null = null;
  /** When the newest event of the KPI's sources was, as far as it is known beside the stream; in ms. */
  @property({ attribute: false }) last_event_ms: number | null = null;

  /** How deep its title stands among the page's headings. */
  @property({ attribute: false }) level = 2;

  readonly #glance = new Glance(this, () => this.page);

  protected override shouldUpdate(changed: PropertyValues): boolean {
    return changed.size > 0 || !this.hasUpdated || this.#glance.seen;
  }

  override render(): TemplateResult {
    const { page, kpi } = this;
    const seen = this.#glance.look(page, kpi, this.wish);
    const { state } = seen.standing;
    return html`<article class="panel ${state}" aria-labelledby="title">
      <header>
        <div class="title" id="title" role="heading" aria-level=${this.level}><a href=${kpiPath(kpi.kpi)}>${this.heading ?? kpi.title}</a></div>
        ${stateWord(seen.standing)}
      </header>
      <p class="value ${seen.feed.ready ? "" : "muted"}" title=${seen.exact === seen.value ? nothing : seen.exact}>${seen.value}</p>
      ${seen.feed.error === null ? html`<p class="muted line">${seen.when}</p>` : html`<p class="error line">${seen.feed.error.message}</p>`}
      <p class="line">${changeLine(seen.change)}</p>
      <lk-sparkline .points=${seen.line} .span_ms=${seen.span_ms} .now=${seen.until_ms} .label=${seen.said}></lk-sparkline>
      ${kpi.paced ? this.#paced(seen.pace) : nothing}
      ${this.#foot(seen)}
    </article>`;
  }

  #paced(pace: Pace | null): TemplateResult {
    if (pace === null) return html`<div class="pace"></div>`;
    const { page, kpi } = this;
    const words = paceWords(pace, kpi, page.numbers, timesOf(page, kpi), page.clock.now());
    return html`<div class="pace">
      ${paceBar(words)}
      <p class="muted clipped" title="${words.stands}${words.heading && `, ${words.heading}`}">
        <span class="hidden-text">Target: ${words.stands}, </span>${words.brief}
      </p>
    </div>`;
  }

  #foot({ feed, open }: Seen): TemplateResult {
    const fresh_ms = Math.max(feed.heard_ms ?? 0, this.last_event_ms ?? 0);
    return html`<footer class="muted">
      <span class="clipped" title=${open ? `${open}; provisional` : nothing}>${open}</span>
      ${fresh_ms > 0 ? html`<lk-ago .page=${this.page} .time_ms=${fresh_ms}></lk-ago>` : nothing}
    </footer>`;
  }
}

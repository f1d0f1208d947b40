/** A source of events: how far it is read, how fresh it is, and what is in the way. */

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { listing } from "../alerts/styles.ts";
import type { Source } from "../server/types.ts";
import { type Page, timesOf } from "../shell/page.ts";
import { shared } from "../shell/styles.ts";
import { spanText } from "../words/spans.ts";
import { lagText, sourceWord } from "./status.ts";

@customElement("lk-source")
export class SourceCard extends LitElement {
  static override styles = [
    shared,
    listing,
    css`
      article { display: grid; gap: 10px; height: 100%; align-content: start; }
      dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 14px; margin: 0; }
      dt { color: var(--muted); }
      dd { margin: 0; overflow-wrap: anywhere; }
    `,
  ];

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) source!: Source;
  @property({ type: Number }) now_ms = 0;

  override render(): TemplateResult {
    const { source, page } = this;
    const [kind, word] = sourceWord(source);
    return html`<article class="panel" aria-labelledby="name">
      <div class="line"><h3 id="name" class="break">${source.source}</h3><span class="muted">${source.kind}</span>
        <div class="end"><span class="state ${kind}">${word}</span></div></div>
      ${source.problem === null ? nothing : html`<p class="error break">${source.problem}</p>`}
      <dl>
        <dt>Last event</dt><dd>${this.#age(source.last_event)}</dd>
        <dt>Complete up to</dt><dd>${source.watermark === null ? "not known yet" : timesOf(page).full(Date.parse(source.watermark))}</dd>
        <dt>Unread</dt><dd>${lagText(source.kind, source.lag, page.numbers, page.locales)}</dd>
        ${source.partitions.length > 1 ? nothing : html`<dt>Read up to</dt><dd>${source.partitions.map((each) => page.numbers.text(each.position))}${source.partitions.length === 0 ? "the beginning" : ""}</dd>`}
      </dl>
      ${source.partitions.length > 1 ? this.#partitions() : nothing}
    </article>`;
  }

  #partitions(): TemplateResult {
    const { source, page } = this;
    return html`<details><summary>${page.numbers.text(source.partitions.length)} partitions</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Partitions of ${source.source}"><table>
        <thead><tr><th scope="col">Partition</th><th scope="col" class="number">Read up to</th><th scope="col" class="number">Unread</th><th scope="col">Last event</th></tr></thead>
        <tbody>${source.partitions.map(
          (each) => html`<tr><td>${each.partition}</td><td class="number">${page.numbers.text(each.position)}</td>
            <td class="number">${lagText(source.kind, each.lag, page.numbers, page.locales)}</td><td>${this.#age(each.last_event)}</td></tr>`,
        )}</tbody>
      </table></div></details>`;
  }

  #age(last: string | null): string {
    if (last === null) return "none yet";
    const gone_ms = this.now_ms - Date.parse(last);
    return gone_ms < 1_000 ? "just now" : `${spanText(gone_ms, this.page.locales)} ago`;
  }
}

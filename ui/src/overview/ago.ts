/** How fresh something is: `3 s ago`, counted on by itself. */

import { css, html, LitElement, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import { Ticking } from "../shell/follow.ts";
import { type Page, timesOf } from "../shell/page.ts";

const NOW_MS = 1_500;

@customElement("lk-ago")
export class Ago extends LitElement {
  static override styles = css`:host { white-space: nowrap; }`;

  @property({ attribute: false }) page!: Page;
  @property({ attribute: false }) time_ms = 0;

  constructor() {
    super();
    new Ticking(this, 1_000);
  }

  override render(): TemplateResult {
    const now_ms = this.page.clock.now();
    const times = timesOf(this.page);
    const words = now_ms - this.time_ms < NOW_MS ? "just now" : times.ago(this.time_ms, now_ms);
    return html`<time datetime=${new Date(this.time_ms).toISOString()} title=${`${times.full(this.time_ms)} (${times.timezone})`}>${words}</time>`;
  }
}

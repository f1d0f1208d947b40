/** One visible word on whether what is shown is live. */

import { css, html, LitElement, type TemplateResult } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Connection } from "../server/live.ts";
import { Follow, Ticking } from "./follow.ts";
import { type Page, timesOf } from "./page.ts";
import { shared } from "./styles.ts";

const WORDS: Readonly<Record<Connection, [string, string]>> = {
  live: ["fine", "Live"],
  connecting: ["watch", "Connecting"],
  broken: ["alert", "Disconnected"],
  refused: ["alert", "Not signed in"],
  paused: ["watch", "Paused"],
};

@customElement("lk-connection")
export class ConnectionWord extends LitElement {
  static override styles = [shared, css`:host { display: inline-block; }`];

  @property({ attribute: false }) page!: Page;

  constructor() {
    super();
    new Follow(this, () => this.page.live, "connection");
    new Ticking(this, 5_000);
  }

  override render(): TemplateResult {
    const { live } = this.page;
    const [kind, word] = WORDS[live.connection];
    // both by this machine's clock, so it does not matter whether that is right
    const since = live.connection === "broken" ? `, since ${timesOf(this.page).within(live.since, 0)}; trying again` : "";
    return html`<span class="state ${kind}" role="status">${word}${since}</span>`;
  }
}

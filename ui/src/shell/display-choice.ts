/** How this viewer would have it: the colours, and the zone that times are in. Behind a button, since it is chosen once. */

import { css, html, LitElement, type TemplateResult } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import { Follow } from "./follow.ts";
import type { Preferences, Theme } from "./preferences.ts";
import { shared } from "./styles.ts";

const THEMES: Readonly<Record<Theme, string>> = { system: "As the system has it", light: "Light", dark: "Dark" };
const GAP_PX = 6;

@customElement("lk-display")
export class DisplayChoice extends LitElement {
  static override styles = [
    shared,
    css`
      [popover] {
        position: fixed; inset: auto; margin: 0; width: min(19rem, calc(100vw - 24px)); padding: var(--gap); color: var(--text);
        background: var(--surface); border: 1px solid var(--edge); border-radius: var(--radius); box-shadow: 0 6px 24px rgb(0 0 0 / 25%);
      }
      .fields { display: grid; gap: 12px; }
      label { display: grid; gap: 3px; color: var(--muted); font-size: 0.9rem; }
      select { color: var(--text); font-size: 1rem; width: 100%; }
    `,
  ];

  @property({ attribute: false }) preferences!: Preferences;
  @query("button") private button!: HTMLButtonElement;
  @query("[popover]") private popup!: HTMLElement;

  constructor() {
    super();
    new Follow(this, () => this.preferences, "changed");
  }

  override render(): TemplateResult {
    const { theme, zone } = this.preferences;
    return html`
      <button popovertarget="choices">Display</button>
      <div id="choices" popover @beforetoggle=${this.#toggled}>
        <div class="fields">
          <label>Colours
            <select @change=${(event: Event) => (this.preferences.theme = valueOf(event) as Theme)}>
              ${Object.entries(THEMES).map(([each, words]) => html`<option value=${each} ?selected=${each === theme}>${words}</option>`)}
            </select>
          </label>
          <label>Time zone
            <select @change=${(event: Event) => (this.preferences.zone = valueOf(event) === "kpi" ? "kpi" : "viewer")}>
              <option value="viewer" ?selected=${zone === "viewer"}>${Intl.DateTimeFormat().resolvedOptions().timeZone}</option>
              <option value="kpi" ?selected=${zone === "kpi"}>Each KPI’s time zone</option>
            </select>
          </label>
        </div>
      </div>
    `;
  }

  #toggled(event: ToggleEvent): void {
    if (event.newState === "open") this.#place();
    // a browser does not find the way back out of a shadow tree
    else if (this.popup.contains(this.shadowRoot?.activeElement ?? null)) this.button.focus();
  }

  /** Below the button, flush with its end. */
  #place(): void {
    const { bottom, right } = this.button.getBoundingClientRect();
    this.popup.style.setProperty("top", `${bottom + GAP_PX}px`);
    this.popup.style.setProperty("right", `${Math.max(GAP_PX, document.documentElement.clientWidth - right)}px`);
  }
}

function valueOf(event: Event): string {
  return (event.target as HTMLSelectElement).value;
}

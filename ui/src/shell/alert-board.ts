/** The alerts there are at present, kept up to date by the stream. */

import type { Api } from "../server/api.ts";
import type { Live } from "../server/live.ts";
import type { Alert } from "../server/types.ts";

/** The stream tells nothing of what is pending, so while something is, it is asked whether it still is. */
const PENDING_MS = 10_000;

export class AlertBoard extends EventTarget {
  #alerts = new Map<string, Alert>();
  #asked = 0;
  /** What the stream told since the list was asked for, which may not know it yet; null while it is not asked for. */
  #told: Alert[] | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly api: Api,
    private readonly live: Live,
  ) {
    super();
    live.on("alert", (alert) => this.#take(alert));
    live.on("connection", (connection) => connection === "live" && void this.load());
  }

  /** Those that fire or are pending, the newest first. */
  get alerts(): readonly Alert[] {
    return [...this.#alerts.values()].sort((one, other) => other.started.localeCompare(one.started));
  }

  /** Those of the rules that ask a KPI. */
  of(rules: readonly string[]): readonly Alert[] {
    return this.alerts.filter((alert) => rules.includes(alert.rule));
  }

  /** Asks for all of them anew; what can't be asked now is asked with the next connection. */
  async load(): Promise<void> {
    const asked = ++this.#asked;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#told = [];
    const found = await this.api.alerts().catch(() => null);
    if (asked !== this.#asked) return;
    const told = this.#told ?? [];
    this.#told = null;
    if (found !== null) {
      this.#alerts = new Map(found.map((alert) => [idOf(alert), alert]));
      for (const alert of told) this.#put(alert);
      this.dispatchEvent(new Event("changed"));
    }
    if (this.alerts.some((alert) => alert.status === "pending")) this.#timer = setTimeout(() => this.#again(), PENDING_MS);
  }

  /** A page that is hidden or cut off asks with the next connection. */
  #again(): void {
    if (this.live.connection === "live") void this.load();
  }

  #take(alert: Alert): void {
    this.#told?.push(alert);
    this.#put(alert);
    this.dispatchEvent(new Event("changed"));
  }

  #put(alert: Alert): void {
    if (alert.ended !== null) this.#alerts.delete(idOf(alert));
    else this.#alerts.set(idOf(alert), alert);
    // one that was pending has no key yet
    if (alert.key !== null) this.#alerts.delete(idOf({ ...alert, key: null }));
  }
}

function idOf(alert: Alert): string {
  return alert.key ?? JSON.stringify([alert.rule, alert.series]);
}

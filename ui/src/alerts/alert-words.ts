/** What is said of alerts, as text. */

import type { Alert, Kpi } from "../server/types.ts";
import { kpiPath } from "../shell/router.ts";
import { formatDuration } from "../words/durations.ts";
import type { Group } from "./groups.ts";
import type { Message } from "./types.ts";

export const NULL_WORD = "none";
const BEFORE_MS = 1_800_000;
const AFTER_MS = 1_800_000;
const MINUTE_MS = 60_000;

/** A series for people: `country DE, service checkout`; a dimension that is null is said to be none. */
export function seriesText(series: Readonly<Record<string, string>>): string {
  return Object.entries(series).map(([name, value]) => `${name} ${value === "" ? NULL_WORD : value}`).join(", ");
}

/** `200 series fire, 3 are pending`. */
export function countText(firing: number, pending: number, by: boolean): string {
  const fires = !by ? "fires" : firing === 1 ? "1 series fires" : `${firing} series fire`;
  const waits = !by ? "is pending" : pending === 1 ? "1 series is pending" : `${pending} series are pending`;
  if (pending === 0) return fires;
  return firing === 0 ? waits : `${fires}, ${waits.replace(" series", "")}`;
}

/** The KPI's view at an alert's series, from a while before it began until a while after it ended, or until now. */
export function alertPath(kpi: Kpi, alert: Pick<Alert, "series" | "started" | "ended">, now_ms: number): string {
  const from_ms = Date.parse(alert.started) - BEFORE_MS;
  const own = Object.entries(alert.series).filter(([name]) => kpi.by.includes(name));
  const only = Object.fromEntries(own.map(([name, value]) => [name, value === "" ? null : value]));
  return kpiPath(kpi.kpi, { ...windowOf(from_ms, alert.ended, now_ms), ...(own.length > 0 && { only: JSON.stringify(only) }) });
}

function windowOf(from_ms: number, ended: string | null, now_ms: number): Record<string, string> {
  if (ended === null) return { span: formatDuration(Math.ceil((now_ms - from_ms) / MINUTE_MS) * MINUTE_MS) };
  return { from: new Date(from_ms).toISOString(), to: new Date(Date.parse(ended) + AFTER_MS).toISOString() };
}

/** An address that may be followed: of http or https; null for any other, such as one that is a script. */
export function safeLink(address: string | null): string | null {
  if (address === null) return null;
  try {
    const url = new URL(address);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

export const NOTES: Readonly<Record<string, string>> = {
  late: "Found by events that came late.",
  corrected: "Late events showed that it never was so.",
};
export const DELIVERY: Readonly<Record<string, string>> = { sent: "sent", waiting: "waiting", given_up: "refused" };

/** The state's class for a severity; information is none of the three states. */
export function severityKind(severity: string | null): string {
  if (severity === "critical" || severity === "error") return "alert";
  return severity === "warning" ? "watch" : "plain";
}

/** What there is to see, in one sentence. */
export function sentence(groups: readonly Group[]): string {
  const count = (number: number, one: string): string => `${number} ${one}${number === 1 ? "" : "s"}`;
  const firing = groups.filter((group) => group.firing > 0);
  if (firing.length === 0) return groups.length === 0 ? "Nothing fires." : "Nothing fires; something is pending.";
  const series = firing.reduce((sum, group) => sum + group.firing, 0);
  const unheeded = firing.filter((group) => group.unheeded > 0).length;
  const care = unheeded === 0 ? "; all of it is silenced or looked after" : unheeded < firing.length ? `; ${unheeded} not looked after yet` : "";
  return `${count(firing.length, "rule")} fire${firing.length === 1 ? "s" : ""} (${count(series, "alert")})${care}.`;
}

/** `3 messages: 2 sent, 1 waiting`, counted by receiver. */
export function deliveries(messages: readonly Message[]): string {
  const counts = new Map<string, number>();
  for (const { receivers } of messages) {
    for (const { state } of receivers) counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const said = [...counts].map(([state, count]) => `${count} ${DELIVERY[state] ?? state}`).join(", ");
  return `${messages.length === 1 ? "1 message" : `${messages.length} messages`}${said && `: ${said}`}`;
}

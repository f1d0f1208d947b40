/** What the server says of itself, and how that is said to people. */

import type { Source } from "../server/types.ts";
import type { Numbers } from "../words/numbers.ts";
import { bytesText } from "../words/spans.ts";

export interface Job {
  readonly name: string | null;
  readonly state: string;
  readonly restarts: number | null;
  readonly last_checkpoint: string | null;
  readonly detail: string | null;
}

export interface Limit {
  readonly limit: string;
  readonly kpi: string | null;
  readonly used: number;
  readonly most: number;
  readonly beyond: number;
}

export interface Status {
  readonly version: string;
  readonly started: string;
  readonly ready: boolean;
  readonly not_ready: Readonly<Record<string, string>>;
  readonly engine: string;
  readonly job: Job | null;
  readonly limits: readonly Limit[];
  readonly store_bytes: number;
  readonly memory_bytes: number;
}

/** A state's class, and its word. */
export type Word = readonly [kind: "fine" | "watch" | "alert", word: string];

const NEAR = 0.8;
const ENGINES: Readonly<Record<string, string>> = { embedded: "livekpi itself", flink: "Apache Flink", spark: "Apache Spark" };
const JOBS: Readonly<Record<string, Word>> = {
  running: ["fine", "Running"],
  starting: ["watch", "Starting"],
  finished: ["watch", "Ended"],
  restarting: ["alert", "Restarting"],
  failed: ["alert", "Failed"],
  outdated: ["alert", "Of another definition"],
  missing: ["alert", "Missing"],
};

export function engineText(engine: string): string {
  return ENGINES[engine] ?? engine;
}

export function jobWord(job: Job): Word {
  return JOBS[job.state] ?? ["watch", "Not known"];
}

export function sourceWord(source: Source): Word {
  if (source.problem !== null) return ["alert", "Problem"];
  return source.last_event === null ? ["watch", "No event yet"] : ["fine", "Reading"];
}

/** What is known to be unread: records for Kafka, bytes for others. */
export function lagText(kind: string, lag: number | null, numbers: Numbers, locales: readonly string[]): string {
  if (lag === null) return "not known";
  if (lag === 0) return "nothing";
  if (kind !== "kafka") return bytesText(lag, locales);
  return lag === 1 ? "1 record" : `${numbers.text(lag)} records`;
}

/** The limits that were reached, and those that are near, the fullest first. */
export function limitsToMind(limits: readonly Limit[]): { readonly limit: Limit; readonly word: Word }[] {
  return limits
    .filter((limit) => limit.beyond > 0 || limit.used >= NEAR * limit.most)
    .sort((one, other) => Number(other.beyond > 0) - Number(one.beyond > 0) || other.used / other.most - one.used / one.most)
    .map((limit) => ({ limit, word: limit.beyond > 0 || limit.used >= limit.most ? ["alert", "Reached"] : ["watch", "Near"] }));
}

/** What a limit is of, and what becomes of what goes beyond it. */
export function limitText(limit: Limit, numbers: Numbers): string {
  const used = `${numbers.text(limit.used)} of ${numbers.text(limit.most)}`;
  if (limit.limit === "viewers") {
    const away = limit.beyond > 0 ? `; ${numbers.text(limit.beyond)} were sent away for reading too slowly` : "";
    return `${used} viewers at once${away}. Further ones are refused.`;
  }
  const others = limit.beyond > 0 ? ` ${numbers.text(limit.beyond)} events were counted as __other__.` : " Further series are counted together as __other__.";
  return `${used} series of ${limit.kpi}.${others} \`limits: {series: …}\` in the file sets it.`;
}

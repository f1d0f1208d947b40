/** What the server says, as its OpenAPI document (/openapi.json) has it. Times are ISO 8601 texts in UTC. */

export type Dimension = string | number | boolean | null;
export type Value = number | string | boolean | null;

export interface Target {
  readonly value?: number;
  readonly from?: string | null;
  readonly to?: string | null;
  readonly timezone?: string | null;
  readonly [duration: string]: unknown;
}

export interface Kpi {
  readonly kpi: string;
  readonly title: string;
  readonly value: string;
  readonly unit: string | null;
  readonly good: "up" | "down" | null;
  readonly every: string;
  readonly over: string;
  readonly by: readonly string[];
  readonly description: string | null;
  readonly owner: string | null;
  readonly timezone: string;
  readonly target: unknown;
  /** Whether its target has a pace: it can be added up to where a period will end. */
  readonly paced: boolean;
  readonly sources: readonly string[];
  readonly watched: readonly string[];
}

/** A point: beside these members it has one for each dimension it is sliced by. */
export interface Point {
  readonly time: string;
  readonly value: Value;
  readonly final: boolean;
  /** When events that came too late last changed it, where it had been final. */
  readonly corrected?: string;
  readonly before?: Value;
  readonly expected?: number;
  readonly low?: number;
  readonly high?: number;
  readonly score?: number;
  readonly predicted?: number;
  readonly predicted_low?: number;
  readonly predicted_high?: number;
  readonly [dimension: string]: Dimension | undefined;
}

export interface Points {
  readonly kpi: string;
  readonly unit: string | null;
  readonly step: string | null;
  readonly commit: number;
  readonly points: readonly Point[];
}

export interface Pace {
  readonly time: string;
  readonly from: string;
  readonly to: string;
  readonly target: number;
  readonly so_far: number | null;
  readonly projected: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly ratio: number | null;
}

export interface Who {
  readonly number: number;
  readonly author: string;
  readonly reason: string;
  readonly until: string;
}

export interface Alert {
  readonly key: string | null;
  readonly rule: string;
  readonly title: string;
  readonly severity: string | null;
  readonly series: Readonly<Record<string, string>>;
  readonly status: string;
  readonly started: string;
  readonly ended: string | null;
  readonly value: Value;
  /** The KPI that the rule looks at first; null where the rule is gone. */
  readonly kpi: string | null;
  readonly unit: string | null;
  readonly summary: string;
  readonly note: string | null;
  readonly silenced_by: Who | null;
  readonly acknowledged_by: Who | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly runbook: string | null;
}

export interface Annotation {
  readonly number: number;
  readonly time: string;
  readonly end: string | null;
  readonly text: string;
  readonly kind: string;
  readonly kpis: readonly string[];
  readonly author: string;
  readonly link: string | null;
}

export interface Partition {
  readonly partition: string;
  readonly position: number;
  readonly last_event: string | null;
  readonly lag: number | null;
}

/** A declared field of a source's events, with its type as the file has it: `optional decimal(18, 2)`. */
export interface FieldType {
  readonly name: string;
  readonly type: string;
}

export interface Source {
  readonly source: string;
  readonly kind: string;
  /** The field that holds the event's own time. */
  readonly time: string;
  readonly fields: readonly FieldType[];
  readonly partitions: readonly Partition[];
  readonly lag: number;
  readonly watermark: string | null;
  readonly last_event: string | null;
  readonly behind_seconds: number | null;
  readonly problem: string | null;
}

export type Size = "small" | "medium" | "large" | "wide";

export interface KpiTile {
  readonly kpi: string;
  readonly title: string | null;
  readonly size: Size;
  readonly by: string | null;
  readonly top: number;
  readonly span: string | null;
}

export interface TextTile {
  readonly text: string;
  readonly size: Size;
}

export interface Row {
  readonly title: string | null;
  readonly tiles: readonly (KpiTile | TextTile)[];
}

export interface Dashboard {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface Dashboards {
  readonly dashboards: readonly Dashboard[];
  /** Why what the file says now is not in effect; null where it is. */
  readonly stale: string | null;
}

/** What a page wants to be told of as it changes: a KPI, its slices, its step. */
export interface Want {
  readonly kpi: string;
  readonly by?: readonly string[];
  readonly step?: string;
  readonly timezone?: string;
  readonly where?: string;
}

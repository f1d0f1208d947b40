/** What the server says of alerts beside those that fire. */

import type { Alert } from "../server/types.ts";

/** Whom a silence or an acknowledgement is about: a rule, or one of its series. */
export interface About {
  readonly rule: string | null;
  readonly series: Readonly<Record<string, string>>;
}

export type Kind = "silences" | "acknowledgements";

/** A silence or an acknowledgement. */
export interface Word extends About {
  readonly number: number;
  readonly author: string;
  readonly reason: string;
  readonly from: string;
  readonly until: string;
}

export interface Delivered {
  readonly receiver: string;
  readonly state: string;
  readonly attempts: number;
  readonly at: string;
  readonly reason: string | null;
}

export interface Message {
  readonly number: number;
  readonly rule: string;
  readonly at: string;
  readonly status: string;
  readonly firing: number;
  readonly resolved: number;
  readonly acknowledged_by: string | null;
  readonly receivers: readonly Delivered[];
}

export interface PastAlert extends Alert {
  readonly messages: readonly number[];
}

export interface History {
  readonly alerts: readonly PastAlert[];
  readonly messages: readonly Message[];
}

export interface TriedAlert {
  readonly series: Readonly<Record<string, string>>;
  readonly started: string;
  readonly ended: string | null;
  readonly known: string;
  readonly value: number | null;
  readonly silenced: boolean;
}

/** What a rule would have done on history; only the first three where there is a problem. */
export interface TriedRule {
  readonly rule: string;
  readonly severity: string;
  readonly problem: string | null;
  readonly from: string;
  readonly to: string;
  readonly pages: number;
  readonly fired_share: number;
  readonly median_seconds: number | null;
  readonly longest_seconds: number | null;
  readonly warnings: readonly string[];
  readonly alerts: readonly TriedAlert[];
}

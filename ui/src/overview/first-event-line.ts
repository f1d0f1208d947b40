/** A line for a shell that sends a source's first event: right for its declared fields, and safe to paste. */

import type { FieldType, Kpi } from "../server/types.ts";

export interface Door {
  /** The server's own address, such as http://127.0.0.1:8321. */
  readonly origin: string;
  readonly source: string;
  readonly fields: readonly FieldType[];
  /** Whether the server wants a token. */
  readonly token: boolean;
}

const TAKEN = /^(?:optional\s+)?(?<kind>\w+)\s*(?:\((?<argument>.*)\))?$/s;
/** What `date -u +…` prints for the time formats that a field can have. */
const NOW: Readonly<Record<string, string>> = {
  "": "%Y-%m-%dT%H:%M:%SZ",
  epoch_s: "%s",
  epoch_ms: "%s000",
  epoch_us: "%s000000",
  epoch_ns: "%s000000000",
};

/** `kpis` are those that count the source's events: a text they look for makes the best example. */
export function curlLine(door: Door, kpis: readonly Pick<Kpi, "value">[]): string {
  const needed = door.fields.filter((field) => !/^\s*optional\s/.test(field.type) || kpis.some((kpi) => names(kpi.value, field.name)));
  const members = needed.map((field) => `${quoted(JSON.stringify(field.name))}: ${sample(field, kpis)}`);
  const address = `${door.origin}/v1/events/${encodeURIComponent(door.source)}`;
  const token = door.token ? ` -H "Authorization: Bearer $LIVEKPI_TOKEN"` : "";
  return `curl ${word(address)}${token} -d '{${members.join(", ")}}'`;
}

/** A field's value as JSON inside a shell's single quotes. */
function sample(field: FieldType, kpis: readonly Pick<Kpi, "value">[]): string {
  const { kind = "string", argument = "" } = TAKEN.exec(field.type.trim())?.groups ?? {};
  switch (kind) {
    case "timestamp":
      return now(argument);
    case "integer":
      return "200";
    case "number":
      return "12.5";
    case "decimal":
      return decimal(argument);
    case "boolean":
      return "true";
    case "json":
      return "{}";
    default:
      return text(field.name, kpis);
  }
}

/** The moment at which the line is run, by the shell's clock. */
function now(format: string): string {
  const pattern = NOW[format];
  const printed = `'"$(date -u ${word(`+${pattern ?? format.replace(/%f/g, "000000")}`)})"'`;
  return pattern !== undefined && format !== "" ? printed : `"${printed}"`;
}

function decimal(argument: string): string {
  const [precision = 18, scale = 2] = argument.split(",").map(Number);
  const whole = precision - scale >= 2 ? "12" : precision > scale ? "1" : "0";
  return scale > 0 ? `${whole}.${"5".padEnd(scale, "0")}` : whole;
}

/** A text that some KPI compares the field with; else its own name, and a number by which ids differ. */
function text(field: string, kpis: readonly Pick<Kpi, "value">[]): string {
  const compared = new RegExp(`(?<![\\w.])${escaped(field)}\\s*=\\s*'((?:[^']|'')+)'`);
  for (const kpi of kpis) {
    const found = compared.exec(kpi.value)?.[1];
    if (found !== undefined) return quoted(JSON.stringify(found.replaceAll("''", "'")));
  }
  if (/(^|_)id$/i.test(field)) return `"'"$(date +%s)"'"`;
  return quoted(JSON.stringify(field));
}

function names(expression: string, field: string): boolean {
  return new RegExp(`(?<![\\w.'])${escaped(field)}(?![\\w'])`).test(expression);
}

/** Text as it stands inside single quotes. */
function quoted(value: string): string {
  return value.replaceAll("'", `'\\''`);
}

/** A word of the shell: quoted where it must be. */
function word(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${quoted(value)}'`;
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** Dead letters: what they hold as text, and how many there are of which kind. */

export interface Letter {
  readonly number: number;
  readonly source: string;
  readonly partition: string;
  readonly position: number;
  readonly field: string | null;
  readonly code: string;
  readonly reason: string;
  readonly arrived: string;
  /** The record where its bytes are text, else the bytes. */
  readonly record?: string;
  readonly record_base64?: string;
}

export interface Replayed {
  readonly replayed: number;
  readonly dead: number;
  readonly errors: readonly { readonly number: number; readonly reason: string }[];
}

export interface Count {
  readonly name: string;
  readonly count: number;
}

/** How many there are of each, the most first. */
export function countBy(letters: readonly Letter[], of: (letter: Letter) => string): Count[] {
  const counts = new Map<string, number>();
  for (const letter of letters) counts.set(of(letter), (counts.get(of(letter)) ?? 0) + 1);
  return [...counts].map(([name, count]) => ({ name, count })).sort((one, other) => other.count - one.count || one.name.localeCompare(other.name));
}

/** A record for reading: text as it is, with what can't be seen shown as its number; other bytes in hex, sixteen a line. */
export function recordText(letter: Letter): string {
  if (letter.record !== undefined) return visible(letter.record);
  const bytes = Uint8Array.from(atob(letter.record_base64 ?? ""), (character) => character.charCodeAt(0));
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; start += 16) lines.push(line(bytes, start));
  return lines.join("\n");
}

/** The beginning of a text, and how many characters are left out; never half a character. */
export function cut(text: string, most: number): { readonly head: string; readonly left: number } {
  if (text.length <= most) return { head: text, left: 0 };
  const end = /[\uD800-\uDBFF]/.test(text.charAt(most - 1)) ? most - 1 : most;
  return { head: text.slice(0, end), left: text.length - end };
}

/** Controls and what turns the direction of text are shown as `\u202e`; lines and tabs stay. */
function visible(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function line(bytes: Uint8Array, start: number): string {
  const those = [...bytes.subarray(start, start + 16)];
  const hex = those.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const text = those.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
  return `${start.toString(16).padStart(4, "0")}  ${hex.padEnd(47)}  ${text}`;
}

/** The command that does what the page's replay does. */
export function replayCommand(filter: { readonly source?: string | undefined; readonly reason?: string | undefined }): string {
  const quoted = (text: string): string => (/^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
  const options = [filter.source && `--source ${quoted(filter.source)}`, filter.reason && `--reason ${quoted(filter.reason)}`].filter(Boolean);
  return ["livekpi dead-letters", ...options, "--replay"].join(" ");
}

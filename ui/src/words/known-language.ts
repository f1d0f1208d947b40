/**
 * Imported before all else: has the browser name a language that Intl knows.
 *
 * Where a system names none, as on many a screen on a wall, Chromium says `en-US@posix`; uPlot hands that to Intl as it is read, which throws.
 */

import { usableLocales } from "./locales.ts";

if (usableLocales([navigator.language]).length === 0) {
  Object.defineProperty(navigator, "language", { value: usableLocales(navigator.languages)[0] ?? "en", configurable: true });
}

/** The viewer's languages, as far as Intl knows what they are. */

/** Those of a browser's languages that are language tags: some systems hand on names such as `en-US@posix`, at which Intl throws. */
export function usableLocales(languages: readonly string[]): readonly string[] {
  return languages.filter((language) => {
    try {
      return Intl.getCanonicalLocales(language).length === 1;
    } catch {
      return false;
    }
  });
}

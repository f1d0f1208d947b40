import "./words/known-language.ts";
import "./embed/embed.ts";

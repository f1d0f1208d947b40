import "./words/known-language.ts";
import "./shell/app.ts";

// Builds the page into src/livekpi/web/ui: hashed assets, the HTML that names them, and each compressed beforehand.

import { build } from "esbuild";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const BUILT = join(HERE, "..", "src", "livekpi", "web", "ui");
// made elsewhere and put in its place when it is whole
const OUT = join(HERE, "node_modules", `.page-${process.pid}`);
const ASSETS = join(OUT, "assets");
const PAGES = {
  index: { title: "livekpi", element: "lk-app" },
  embed: { title: "livekpi: a KPI", element: "lk-embed" },
};

const COMMON = { absWorkingDir: HERE, bundle: true, minify: true, target: ["es2022"], outdir: ASSETS, metafile: true, legalComments: "linked" };

await mkdir(ASSETS, { recursive: true });
// by itself: a worker of the older kind, which every browser has, and of no more than it needs
const worker = await build({ ...COMMON, entryPoints: ["src/sharing-worker.ts"], format: "iife", entryNames: "sharing-[hash]" });
const [sharing] = Object.keys(worker.metafile.outputs);
const result = await build({
  ...COMMON,
  entryPoints: [...Object.keys(PAGES).map((page) => `src/${page}.ts`), "src/page.css", "src/icon.svg"],
  splitting: true,
  format: "esm",
  define: { SHARING_WORKER: JSON.stringify(`/ui/${basename(sharing)}`) },
  loader: { ".svg": "copy" },
  entryNames: "[name]-[hash]",
  chunkNames: "shared-[hash]",
});

const named = Object.fromEntries(
  Object.entries(result.metafile.outputs)
    .filter(([, output]) => output.entryPoint !== undefined)
    .map(([path, output]) => [basename(output.entryPoint), `/ui/${basename(path)}`]),
);
const template = await readFile(join(HERE, "src", "page.html"), "utf8");
for (const [page, words] of Object.entries(PAGES)) {
  const said = { ...named, ...words, script: named[`${page}.ts`] };
  const shared = imported(page).map((name) => `<link rel="modulepreload" href="/ui/${name}">`);
  const html = template
    .replace("<!-- preload -->", shared.join("\n"))
    .replace(/\{\{([^}]+)\}\}/g, (_, name) => said[name] ?? missing(name));
  await writeFile(join(OUT, `${page}.html`), html);
}
for (const folder of [OUT, ASSETS]) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isFile() && [".html", ".js", ".css", ".svg"].includes(extname(entry.name))) await compress(join(folder, entry.name));
  }
}
await rm(BUILT, { recursive: true, force: true });
await rename(OUT, BUILT);

/** The chunks that a page's script imports. */
function imported(page) {
  const output = Object.values(result.metafile.outputs).find((each) => each.entryPoint === `src/${page}.ts`);
  return output.imports.map((each) => basename(each.path));
}

function missing(name) {
  throw new Error(`a page names ${name}, which is not built`);
}

async function compress(path) {
  const content = await readFile(path);
  await writeFile(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  await writeFile(`${path}.gz`, gzipSync(content, { level: 9 }));
}

// Builds the browser code: node build.mjs FOLDER_OF_NODE_MODULES FOLDER_OF_RESULT. Called by ./portal.
import { createRequire } from "node:module";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const [, , tools, out] = process.argv;
const { build } = createRequire(join(tools, "package.json"))("esbuild");
const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await build({
  entryPoints: readdirSync(here).filter((name) => /^(page.*\.js|map.*\.css)$/.test(name)).map((name) => join(here, name)),
  nodePaths: [join(tools, "node_modules")],
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true,
  chunkNames: "part-[hash]",
  target: ["chrome109", "firefox115", "safari15.6"],
  loader: { ".svg": "dataurl", ".woff2": "file" },
  logLevel: "warning",
});

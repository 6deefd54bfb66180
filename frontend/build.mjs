// Makes src/zhiyin/serving/dashboard/static/vendor: the three third-party files that the pages load, and their licences.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const place = join(root, "src/zhiyin/serving/dashboard/static/vendor");
const fresh = `${place}.new`; // whole or not at all: a build that is stopped leaves what was there
const shipped = ["htmx.org", "htmx-ext-sse", "echarts", "zrender", "tslib"];

async function licences() {
  const texts = [];
  for (const name of shipped) {
    const folder = join(root, "node_modules", name);
    const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    for (const file of ["LICENSE", "LICENSE.txt", "NOTICE"]) {
      const text = await readFile(join(folder, file), "utf8").catch(() => "");
      if (text) texts.push(`${name} ${about.version}, ${about.license}, ${file}\n\n${text.trim()}\n`);
    }
  }
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

await rm(fresh, { recursive: true, force: true });
await mkdir(fresh, { recursive: true });
await build({
  entryPoints: { echarts: join(root, "frontend/echarts.js") },
  bundle: true, minify: true, format: "esm", target: "es2022", legalComments: "none", outdir: fresh, logLevel: "warning",
});
await copyFile(join(root, "node_modules/htmx.org/dist/htmx.min.js"), join(fresh, "htmx.js"));
await build({
  entryPoints: { "htmx-sse": join(root, "node_modules/htmx-ext-sse/dist/sse.js") },
  minify: true, legalComments: "none", outdir: fresh, logLevel: "warning",
});
await writeFile(join(fresh, "LICENSES.txt"), await licences());
await rm(place, { recursive: true, force: true });
await rename(fresh, place);

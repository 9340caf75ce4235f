// The chat panel's host side: the page, and the relay between it and the daemon. It hands on what the lists of messages.ts allow, and
// keeps nothing of the conversation.

import * as vscode from 'vscode';
import { randomBytes } from 'node:crypto';
import english from '../l10n/panel.json';
import type { Connection, Refusal } from './client';
import { type Chip, type FocusTarget, type HostMessage, PANEL_COMMANDS, PANEL_METHODS, type PanelMessage, type ReviewFile } from './messages';
import { rememberMode } from './mode';
import { Outputs } from './outputs';
import { page } from './page';
import type { InputPart, Methods, Mode, Range } from './protocol';
import type { Review } from './review/hunks';
import type { Sessions } from './session';
import { warn } from './warn';

const RELAYED = ['session/update', 'session/changed'] as const;

/** The view that shows the session. */
export class Panel implements vscode.WebviewViewProvider, vscode.Disposable {
  #view: vscode.WebviewView | undefined;
  /** The page runs and was told how things are. */
  #isReady = false;
  /** What it will be told then. */
  #waiting: HostMessage[] = [];
  /** What the session that the first prompt opens will be like. */
  #chosen: { mode?: Mode; workspace?: string } = {};
  /** The folder that the page was told the next prompt is about. */
  #shownRoot: string | undefined;
  readonly #outputs: Outputs;
  readonly #subscriptions: vscode.Disposable[];

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly connection: Connection,
    private readonly sessions: Sessions,
    private readonly review: Review,
  ) {
    this.#outputs = new Outputs(connection);
    this.#subscriptions = [
      this.#outputs,
      connection.onState(() => this.#tellConnection()),
      ...RELAYED.map((method) => connection.onNotification(method, (params) => this.#tell({ type: 'notification', method, params }))),
      sessions.onCurrent(() => this.#tellSession()),
      sessions.onChange(() => this.#drawBadge()),
      review.onChange(() => this.#tellHunks()),
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.#tellSession()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#tellSession()),
      vscode.window.onDidChangeActiveTextEditor(() => this.#tellChips()),
      vscode.window.onDidChangeTextEditorSelection(() => this.#tellChips()),
    ];
  }

  /** Whether it is in sight. */
  get isVisible(): boolean {
    return this.#view?.visible ?? false;
  }

  /** Shows the panel and puts the keyboard's focus there, by the person's own command. */
  async focus(target: FocusTarget = 'composer'): Promise<void> {
    await vscode.commands.executeCommand('pilotfish.chat.focus');
    this.#tellNow({ type: 'focus', target });
  }

  /** Puts a file, or lines of it, among the chips of what the next prompt is asked about. */
  async add(uri: vscode.Uri, range?: vscode.Range): Promise<void> {
    await this.focus();
    this.#tellNow({ type: 'attach', chips: [chip(uri, range)] });
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.#view = view;
    const { webview } = view;
    const files = vscode.Uri.joinPath(this.context.extensionUri, 'dist');
    const file = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(files, name)).toString();
    webview.options = { enableScripts: true, localResourceRoots: [files] };
    webview.onDidReceiveMessage((message: PanelMessage) => void this.#receive(message).catch(warn));
    // A page out of sight is gone; the next one says when it is ready.
    view.onDidChangeVisibility(() => {
      if (!view.visible && this.#view === view) this.#isReady = false;
    });
    view.onDidDispose(() => {
      if (this.#view !== view) return;
      this.#view = undefined;
      this.#isReady = false;
    });
    this.#isReady = false;
    webview.html = page({
      nonce: randomBytes(16).toString('base64'),
      source: webview.cspSource,
      script: file('panel.js'),
      style: file('panel.css'),
      language: vscode.env.language,
    });
    this.#drawBadge();
    void this.connection.start();
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions).dispose();
  }

  #tell(message: HostMessage): void {
    if (this.#isReady) void this.#view?.webview.postMessage(message);
  }

  /** Likewise, and not lost when the page is not there yet. */
  #tellNow(message: HostMessage): void {
    if (this.#isReady) this.#tell(message);
    else this.#waiting.push(message);
  }

  #tellAll(): void {
    const strings = Object.fromEntries(Object.entries(english).map(([key, words]) => [key, vscode.l10n.t(words)]));
    this.#isReady = true;
    this.#tell({ type: 'init', strings, settings: { language: vscode.env.language, mac: process.platform === 'darwin' } });
    this.#tellSession();
    this.#tellConnection();
    this.#tellHunks();
    this.#tellChips();
    for (const message of this.#waiting.splice(0)) this.#tell(message);
  }

  #tellConnection(): void {
    const { state, reason } = this.connection;
    this.#tell({ type: 'connection', state, reason });
  }

  #tellSession(): void {
    const { current } = this.sessions;
    const roots = this.sessions.roots();
    this.#shownRoot = current?.workspace ?? this.#chosen.workspace ?? this.sessions.root();
    this.#tell({
      type: 'session',
      id: current?.id,
      workspace: this.#shownRoot,
      roots: roots.map((path) => ({ path, name: path.split(/[\\/]/).pop() ?? path })),
      trusted: vscode.workspace.isTrusted,
      mode: current?.mode ?? this.sessions.newMode(this.#chosen.mode),
    });
  }

  #tellHunks(): void {
    const files = this.review.files().map(({ uri, hunks }): ReviewFile => {
      const count = (range: 'oldRange' | 'newRange'): number => hunks.reduce((total, hunk) => total + hunk[range].end - hunk[range].start, 0);
      return {
        uri: hunks[0]?.uri ?? uri.toString(),
        path: vscode.workspace.asRelativePath(uri),
        added: count('newRange'),
        removed: count('oldRange'),
        hunks: hunks.map(({ id, state, turnId }) => ({ id, state, turnId })),
      };
    });
    this.#tell({ type: 'hunks', files });
  }

  #tellChips(): void {
    const editor = vscode.window.activeTextEditor;
    if (editor && editor.document.uri.scheme !== 'file') return;
    const chips = editor ? [editor.selection.isEmpty ? { ...chip(editor.document.uri), off: true } : chip(editor.document.uri, editor.selection)] : [];
    this.#tell({ type: 'chips', chips });
  }

  #drawBadge(): void {
    const waiting = this.sessions.current?.waiting ?? 0;
    if (this.#view) this.#view.badge = waiting ? { value: waiting, tooltip: vscode.l10n.t('{0} waiting for you', waiting) } : undefined;
  }

  async #receive(message: PanelMessage): Promise<void> {
    switch (message.type) {
      case 'ready':
        return this.#tellAll();
      case 'request':
        return this.#answer(message.id, () => this.#request(message.method, message.params));
      case 'prompt':
        return this.#answer(message.id, () => this.#prompt(message.input, message.delivery));
      case 'command':
        if (PANEL_COMMANDS.has(message.command)) await vscode.commands.executeCommand(message.command, ...message.arguments.map(argument));
        return;
      case 'open':
        return this.#open(message.uri, message.path, message.line, message.range);
      case 'output':
        return this.#outputs.open(message);
      case 'link':
        return this.#follow(message.href);
      case 'remember':
        return rememberMode(message.mode);
      case 'choose':
        this.#chosen = { ...this.#chosen, mode: message.mode ?? this.#chosen.mode, workspace: message.workspace ?? this.#chosen.workspace };
        return this.#tellSession();
      case 'failed':
        return warn(message.message);
    }
  }

  async #answer(id: number, ask: () => Promise<unknown>): Promise<void> {
    // No wait between the answer and telling it: what the daemon said next must come next.
    await ask().then(
      (result) => this.#tell({ type: 'response', id, result }),
      ({ message, kind }: Refusal) => this.#tell({ type: 'response', id, error: { message, kind } }),
    );
  }

  async #request(method: string, params: unknown): Promise<unknown> {
    if (!PANEL_METHODS.has(method)) throw new Error(`the panel may not call ${method}`);
    return this.connection.request(method as keyof Methods, params as never);
  }

  async #prompt(input: InputPart[], delivery: 'queue' | 'steer'): Promise<unknown> {
    const session = this.sessions.current ?? (await this.#newSession());
    return this.connection.request('session/prompt', { sessionId: session.id, input, delivery });
  }

  async #newSession() {
    const session = await this.sessions.open(this.#chosen.workspace ?? this.#shownRoot, this.#chosen.mode);
    this.#chosen = {};
    return session;
  }

  /** Shows a file, if it is one of this window's folders. What a model calls a file may be anything. */
  async #open(uri: string | undefined, path: string | undefined, line: number | undefined, range: Range | undefined): Promise<void> {
    const root = this.sessions.current?.workspace ?? this.sessions.root();
    const target = uri ? vscode.Uri.parse(uri, true) : path && root ? vscode.Uri.joinPath(vscode.Uri.file(root), path) : undefined;
    if (!target) return;
    if (target.scheme !== 'file' || !vscode.workspace.getWorkspaceFolder(target)) {
      return warn(vscode.l10n.t('{0} is outside the folders of this window.', uri ?? path ?? ''));
    }
    const start = range?.start ?? { line: Math.max(0, (line ?? 1) - 1), character: 0 };
    const selection = new vscode.Range(start.line, start.character, start.line, start.character);
    await vscode.window.showTextDocument(target, { preview: true, selection });
  }

  /** Opens a page of the web, after the person has seen its whole address. */
  async #follow(href: string): Promise<void> {
    const uri = vscode.Uri.parse(href, true);
    if (!['http', 'https', 'mailto'].includes(uri.scheme)) return;
    const open = vscode.l10n.t('Open');
    const answer = await vscode.window.showInformationMessage(vscode.l10n.t('Open this link outside the editor?'), { modal: true, detail: href }, open);
    if (answer === open) await vscode.env.openExternal(uri);
  }
}

/** What the review's commands take for a file is its address, not its text. */
function argument(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith('file:') ? vscode.Uri.parse(value, true) : value;
}

function chip(uri: vscode.Uri, range?: vscode.Range): Chip {
  const name = uri.path.split('/').pop() ?? uri.path;
  if (!range || range.isEmpty) return { id: `file:${uri.toString()}`, label: name, icon: 'file', part: { type: 'file', uri: uri.toString() } };
  const { start, end } = range;
  const last = end.character === 0 && end.line > start.line ? end.line : end.line + 1;
  const label = start.line + 1 === last ? `${name}:${last}` : `${name}:${start.line + 1}–${last}`;
  const place = { start: { line: start.line, character: start.character }, end: { line: end.line, character: end.character } };
  return { id: `selection:${uri.toString()}`, label, icon: 'listSelection', part: { type: 'selection', uri: uri.toString(), range: place } };
}

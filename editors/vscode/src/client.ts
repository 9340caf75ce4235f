// Owns the one connection to the daemon: starts it, says what is wrong with it, and starts it again when it broke.

import * as vscode from 'vscode';
import type { ChildProcess } from 'node:child_process';
import { CloseAction, ErrorAction, type LanguageClientOptions, type Middleware, RevealOutputChannelOn } from 'vscode-languageclient';
import { LanguageClient } from 'vscode-languageclient/node';
import { findProgram, startShim, Unavailable } from './daemon';
import type { ErrorKind, Methods, Notifications, NotificationsToDaemon } from './protocol';

/** How the connection stands. `stopped` has a reason, unless nobody has asked for it yet. */
export type ConnectionState = 'starting' | 'ready' | 'stopped';

/** An error of the daemon: its words, and the word to go by. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly kind?: ErrorKind,
  ) {
    super(message);
  }
}

const NEEDED = ['session', 'items', 'review'];
const NOTIFICATIONS = ['session/update', 'session/changed', 'review/changed', 'daemon/notice'] as const;
const MAX_RESTARTS = 3;
const RESTART_WINDOW_MS = 60_000;

/** The connection to the daemon, which all of the extension shares. */
export class Connection implements vscode.Disposable {
  #state: ConnectionState = 'stopped';
  #reason: string | undefined;
  #client: LanguageClient | undefined;
  #starting: Promise<void> | undefined;
  #restarts: number[] = [];
  /** It ended too often: only the person's wish starts it again. */
  #gaveUp = false;
  #lastWords = '';
  #disposed = false;
  readonly #states = new vscode.EventEmitter<ConnectionState>();
  readonly #notifications = new vscode.EventEmitter<{ method: string; params: unknown }>();

  constructor(
    readonly log: vscode.LogOutputChannel,
    private readonly middleware: Middleware,
  ) {}

  /** How it stands now. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Why it is stopped, and how to mend it. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Calls `handler` whenever the state changes. */
  onState(handler: (state: ConnectionState) => void): vscode.Disposable {
    return this.#states.event(handler);
  }

  /** Calls `handler` with what the daemon says under this name. */
  onNotification<N extends keyof Notifications>(method: N, handler: (params: Notifications[N]) => void): vscode.Disposable {
    return this.#notifications.event((said) => {
      if (said.method === method) handler(said.params as Notifications[N]);
    });
  }

  /** Connects unless that is done already. Never throws: {@link reason} says what is wrong. */
  start(): Promise<void> {
    if (this.#state === 'ready' || this.#gaveUp) return Promise.resolve();
    this.#starting ??= this.#connect().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  /** Connects anew, by the person's wish. */
  async restart(): Promise<void> {
    this.#restarts = [];
    this.#gaveUp = false;
    await this.#starting;
    this.#starting ??= this.#stop()
      .then(() => this.#connect())
      .finally(() => (this.#starting = undefined));
    // From here on it is not ready, so whoever asks meanwhile waits for the new connection.
    this.#set('starting');
    await this.#starting;
  }

  /** Asks the daemon, and connects before that if need be. Throws a {@link Refusal}. */
  async request<M extends keyof Methods>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']> {
    await this.start();
    const client = this.#client;
    if (this.#state !== 'ready' || !client) throw new Refusal(this.#reason ?? vscode.l10n.t('pilotfish does not run'));
    if (!vscode.workspace.isTrusted && asksForAgent(method, params)) {
      throw new Refusal(vscode.l10n.t('This folder is not trusted in the editor: pilotfish is read-only here.'), 'refused');
    }
    try {
      return await client.sendRequest<Methods[M]['result']>(method, params);
    } catch (error) {
      throw refusal(error);
    }
  }

  /** Tells the daemon something that nothing answers. Nothing is said to a daemon that does not run. */
  notify<N extends keyof NotificationsToDaemon>(method: N, params: NotificationsToDaemon[N]): void {
    if (this.#state === 'ready') void this.#client?.sendNotification(method, params);
  }

  dispose(): void {
    this.#disposed = true;
    void this.#stop();
    this.#states.dispose();
    this.#notifications.dispose();
  }

  async #connect(): Promise<void> {
    this.#set('starting');
    this.#lastWords = '';
    try {
      const program = findProgram();
      this.log.info(`starting ${program} lsp`);
      const shim = await startShim(program, (line) => {
        this.#lastWords = line;
        this.log.info(line);
      });
      await this.#speak(shim, program);
    } catch (error) {
      await this.#stop();
      const message = error instanceof Error ? error.message : String(error);
      const said = this.#lastWords || message;
      this.#set('stopped', error instanceof Unavailable ? message : vscode.l10n.t('pilotfish did not start: {0}', said));
    }
  }

  async #speak(shim: ChildProcess, program: string): Promise<void> {
    const options: LanguageClientOptions = {
      documentSelector: [{ scheme: 'file' }],
      initializationOptions: { pilotfish: { protocol: 1, features: ['diagnostics'] } },
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      middleware: this.middleware,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          if (this.#client === client) queueMicrotask(() => this.#broke());
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
    };
    const client = new LanguageClient('pilotfish', 'pilotfish', () => Promise.resolve(shim), options);
    this.#client = client;
    for (const method of NOTIFICATIONS) {
      client.onNotification(method, (params: unknown) => this.#notifications.fire({ method, params }));
    }
    await client.start();
    checkFeatures(client.initializeResult?.capabilities.experimental, program);
    this.#set('ready');
  }

  /** The connection ended without our asking. */
  #broke(): void {
    this.#client = undefined;
    // While it starts, the start itself says what is wrong.
    if (this.#disposed || this.#state !== 'ready') return;
    const now = Date.now();
    this.#restarts = this.#restarts.filter((at) => now - at < RESTART_WINDOW_MS);
    if (this.#restarts.length >= MAX_RESTARTS) {
      this.#gaveUp = true;
      this.#set('stopped', vscode.l10n.t('pilotfish ended {0} times within a minute. Its last words: {1}', MAX_RESTARTS + 1, this.#lastWords || '–'));
      return;
    }
    this.#restarts.push(now);
    this.log.warn('the connection ended; connecting again');
    this.#set('starting');
    void this.start();
  }

  async #stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    // A client that never came to run cannot be stopped, only left.
    await client?.dispose(2000).catch(() => undefined);
  }

  #set(state: ConnectionState, reason?: string): void {
    this.#reason = reason;
    if (reason) this.log.error(reason);
    if (this.#state === state && state !== 'stopped') return;
    this.#state = state;
    if (!this.#disposed) this.#states.fire(state);
  }
}

function asksForAgent(method: string, params: unknown): boolean {
  return (method === 'session/new' || method === 'session/setMode') && (params as { mode?: string }).mode === 'agent';
}

function checkFeatures(experimental: unknown, program: string): void {
  const ours = (experimental as { pilotfish?: { build?: string; features?: string[] } } | undefined)?.pilotfish;
  const missing = NEEDED.filter((feature) => !ours?.features?.includes(feature));
  if (missing.length === 0) return;
  throw new Unavailable(
    vscode.l10n.t('{0} is too old for this extension: {1} lacks {2}. Install a newer one and restart.', program, ours?.build ?? 'it', missing.join(', ')),
  );
}

function refusal(error: unknown): Refusal {
  const { message, data } = error as { message?: string; data?: { kind?: ErrorKind } };
  return new Refusal(message ?? String(error), data?.kind);
}

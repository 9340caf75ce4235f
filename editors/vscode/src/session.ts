// Knows which session this window shows, and folds of it what the host draws: status, mode, title and what waits. The transcript is
// the panel's.

import * as vscode from 'vscode';
import { type Connection, Refusal } from './client';
import type { Attached, Item, Mode, Session, SessionUpdate } from './protocol';
import { warn } from './warn';

/** The session that is shown, as far as the host needs it. */
export interface SessionInfo extends Session {
  /** Questions of policy and of the model that nobody has answered. */
  waiting: number;
  /** The turn that runs. */
  turnId?: string;
  /** When it began, in milliseconds since 1970. */
  turnBeganAt?: number;
}

/** How a turn ended. */
export interface TurnEnd {
  session: SessionInfo;
  turnId: string;
  seconds: number;
}

const REMEMBERED = 'pilotfish.session';

/** Which session is shown, and what is known of it. */
export class Sessions implements vscode.Disposable {
  #current: SessionInfo | undefined;
  #seq = 0;
  #waits = new Set<string>();
  #ensuring: Promise<SessionInfo> | undefined;
  readonly #changes = new vscode.EventEmitter<SessionInfo | undefined>();
  readonly #selections = new vscode.EventEmitter<SessionInfo | undefined>();
  readonly #ends = new vscode.EventEmitter<TurnEnd>();
  readonly #subscriptions: vscode.Disposable[];

  constructor(
    private readonly connection: Connection,
    private readonly memory: vscode.Memento,
  ) {
    this.#subscriptions = [
      connection.onNotification('session/update', (update) => this.#fold(update)),
      connection.onNotification('session/changed', ({ session }) => this.#replace(session)),
      connection.onState((state) => {
        if (state === 'ready') void this.#resume();
      }),
    ];
  }

  /** The session that is shown. */
  get current(): SessionInfo | undefined {
    return this.#current;
  }

  /** Whether a session was shown in this workspace before. */
  get wasUsed(): boolean {
    return this.memory.get<string>(REMEMBERED) !== undefined;
  }

  /** Calls `handler` when another session is shown, or none. */
  onCurrent(handler: (session: SessionInfo | undefined) => void): vscode.Disposable {
    return this.#selections.event(handler);
  }

  /** Calls `handler` when another session is shown, and when anything of the one that is shown changes. */
  onChange(handler: (session: SessionInfo | undefined) => void): vscode.Disposable {
    return this.#changes.event(handler);
  }

  /** Calls `handler` when a turn of the session that is shown has ended. */
  onTurnEnd(handler: (end: TurnEnd) => void): vscode.Disposable {
    return this.#ends.event(handler);
  }

  /** The folders of this window that sessions can work in. */
  roots(): string[] {
    const folders = vscode.workspace.workspaceFolders ?? [];
    return folders.filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath);
  }

  /** The folder a file belongs to, or the one the person most likely means. */
  root(uri = vscode.window.activeTextEditor?.document.uri): string | undefined {
    const folder = uri && uri.scheme === 'file' ? vscode.workspace.getWorkspaceFolder(uri)?.uri.fsPath : undefined;
    return folder ?? this.#current?.workspace ?? this.roots()[0];
  }

  /** Shows a session. */
  async select(id: string): Promise<SessionInfo> {
    const before = this.#current?.id;
    const attached = await this.connection.request('session/attach', { sessionId: id });
    if (before && before !== id) void this.connection.request('session/detach', { sessionId: before }).catch(() => undefined);
    this.#show(attached);
    void this.memory.update(REMEMBERED, id);
    const session = this.#current!;
    if (!vscode.workspace.isTrusted && session.mode === 'agent') await this.setMode('read-only');
    return session;
  }

  /** The session that is shown; without one a new one is opened, in the folder of the active editor. */
  ensure(): Promise<SessionInfo> {
    if (this.#current) return Promise.resolve(this.#current);
    this.#ensuring ??= this.open().finally(() => (this.#ensuring = undefined));
    return this.#ensuring;
  }

  /** The mode a new session begins in: the one that was `chosen`, else that of the settings, as far as the editor trusts the folder. */
  newMode(chosen?: Mode): Mode {
    if (!vscode.workspace.isTrusted) return 'read-only';
    return chosen ?? vscode.workspace.getConfiguration('pilotfish').get<Mode>('mode', 'read-only');
  }

  /** Opens a session and shows it. */
  async open(workspace = this.root(), chosen?: Mode): Promise<SessionInfo> {
    if (!workspace) throw new Refusal(vscode.l10n.t('pilotfish works in a folder: open one first.'));
    const mode = this.newMode(chosen);
    const { session } = await this.connection.request('session/new', { workspace, mode }).catch(async (error: Refusal) => {
      if (mode !== 'agent' || error.kind !== 'refused') throw error;
      const opened = await this.connection.request('session/new', { workspace, mode: 'read-only' });
      warn(new Refusal(vscode.l10n.t('The session is read-only: {0}', error.message)));
      return opened;
    });
    return this.select(session.id);
  }

  /** Shows none, as when the one that was shown is gone. */
  clear(): void {
    void this.memory.update(REMEMBERED, undefined);
    this.#current = undefined;
    this.#selections.fire(undefined);
    this.#changes.fire(undefined);
  }

  /** Switches the mode of the session that is shown. */
  async setMode(mode: Mode): Promise<void> {
    const session = await this.ensure();
    await this.connection.request('session/setMode', { sessionId: session.id, mode });
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions, this.#changes, this.#selections, this.#ends).dispose();
  }

  /** After a connection came about: the session of before, or the latest of this window's folders. */
  async #resume(): Promise<void> {
    const id = this.#current?.id ?? this.memory.get<string>(REMEMBERED);
    try {
      if (id) return void (await this.select(id));
    } catch (error) {
      if ((error as Refusal).kind !== 'notFound') return this.connection.log.warn(String(error));
      this.clear();
    }
    for (const workspace of this.roots()) {
      const { sessions } = await this.connection.request('session/list', { workspace }).catch(() => ({ sessions: [] }));
      const latest = sessions.find((session) => session.workspace === workspace);
      if (latest && !this.#current) return void (await this.select(latest.id).catch(() => undefined));
    }
  }

  #show(attached: Attached): void {
    this.#seq = attached.seq;
    const questions = attached.openItems.filter((item) => item.content.kind === 'question').map((item) => item.id);
    this.#waits = new Set([...attached.approvals.map((approval) => approval.id), ...questions]);
    const isOther = this.#current?.id !== attached.session.id;
    const began = attached.turnId ? (isOther ? Date.parse(attached.session.updatedAt) : this.#current?.turnBeganAt) : undefined;
    this.#current = { ...attached.session, waiting: this.#waits.size, turnId: attached.turnId, turnBeganAt: began };
    if (isOther) this.#selections.fire(this.#current);
    this.#changes.fire(this.#current);
  }

  #replace(session: Session): void {
    if (session.id === this.#current?.id) this.#set({ ...session });
  }

  #set(part: Partial<SessionInfo>): void {
    if (!this.#current) return;
    this.#current = { ...this.#current, ...part, waiting: this.#waits.size };
    this.#changes.fire(this.#current);
  }

  #fold({ sessionId, seq, update }: SessionUpdate): void {
    if (sessionId !== this.#current?.id) return;
    if (seq !== undefined) {
      // Seen already: an attach repeats what a client may have missed.
      if (seq <= this.#seq) return;
      this.#seq = seq;
    }
    switch (update.kind) {
      case 'statusChanged':
        return this.#set({ status: update.status });
      case 'modeChanged':
        return this.#set({ mode: update.mode });
      case 'modelChanged':
        return this.#set({ model: update.model, effort: update.effort });
      case 'titleChanged':
        return this.#set({ title: update.title });
      case 'turnStarted':
        return this.#set({ turnId: update.turnId, turnBeganAt: Date.parse(update.at) });
      case 'turnEnded':
        return this.#turnEnded(update.turnId, Date.parse(update.at));
      case 'approvalOpened':
        this.#waits.add(update.approval.id);
        return this.#set({});
      case 'approvalClosed':
        this.#waits.delete(update.approvalId);
        return this.#set({});
      case 'itemStarted':
      case 'itemEnded':
        return this.#question(update.item, update.kind === 'itemStarted');
      default:
        // The others are the panel's, or a newer daemon's.
        return;
    }
  }

  #question(item: Item, isOpen: boolean): void {
    if (item.content.kind !== 'question') return;
    if (isOpen) this.#waits.add(item.id);
    else this.#waits.delete(item.id);
    this.#set({});
  }

  #turnEnded(turnId: string, at: number): void {
    const session = this.#current!;
    const seconds = session.turnBeganAt === undefined ? 0 : (at - session.turnBeganAt) / 1000;
    this.#waits.clear();
    this.#set({ turnId: undefined, turnBeganAt: undefined });
    this.#ends.fire({ session, turnId, seconds });
  }
}

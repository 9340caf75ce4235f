// The Sessions view, and the commands that open, name, branch and put away sessions.

import * as vscode from 'vscode';
import type { Connection } from './client';
import type { Session, Status } from './protocol';
import type { Sessions } from './session';
import { warn } from './warn';

/** A row: a session, or the one that loads more of them. */
type Row = Session | { more: string };

/** How each state looks; newer ones look like `idle`. */
const ICONS: Partial<Record<Status, [icon: string, colour?: string]>> = {
  idle: ['circle-outline'],
  thinking: ['sync', 'charts.blue'],
  running: ['sync', 'charts.blue'],
  waiting: ['bell-dot', 'list.warningForeground'],
  stopping: ['sync', 'charts.orange'],
  stopped: ['debug-stop'],
  failed: ['error', 'list.errorForeground'],
};

/** Serves the view's rows and carries out its commands. */
export class SessionList implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  readonly #changes = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changes.event;
  readonly #subscriptions: vscode.Disposable[];
  #rows: Session[] = [];
  #next: string | undefined;
  #loaded: Promise<void> | undefined;
  #archived = false;

  constructor(
    private readonly connection: Connection,
    private readonly sessions: Sessions,
  ) {
    this.#subscriptions = [
      vscode.window.registerTreeDataProvider('pilotfish.sessions', this),
      connection.onNotification('session/changed', ({ session }) => this.#replace(session)),
      connection.onState((state) => {
        if (state === 'ready') this.refresh();
      }),
      sessions.onCurrent(() => this.#changes.fire()),
    ];
  }

  /** The commands by their names, without the prefix. */
  commands(): Record<string, (target?: Session) => Promise<unknown>> {
    return {
      newSession: () => this.#open(),
      selectSession: async (target) => target && this.#select(target),
      sessions: () => this.#search(),
      renameSession: (target) => this.#rename(target),
      forkSession: (target) => this.#fork(target),
      archiveSession: (target) => this.#archive(target, true),
      unarchiveSession: (target) => this.#archive(target, false),
      deleteSession: (target) => this.#delete(target),
      toggleArchived: async () => {
        this.#archived = !this.#archived;
        this.refresh();
      },
    };
  }

  /** Asks for the list anew. */
  refresh(): void {
    this.#loaded = undefined;
    this.#changes.fire();
  }

  async getChildren(row?: Row): Promise<Row[]> {
    if (row) return [];
    await this.connection.start();
    if (this.connection.state !== 'ready') return [];
    this.#loaded ??= this.#load().catch((error: unknown) => {
      // The next look tries again.
      this.#loaded = undefined;
      throw error;
    });
    await this.#loaded;
    const order = this.sessions.roots();
    const rank = (session: Session): number => (order.includes(session.workspace) ? 0 : 1);
    const rows: Row[] = [...this.#rows].sort((a, b) => rank(a) - rank(b) || b.updatedAt.localeCompare(a.updatedAt));
    return this.#next ? [...rows, { more: this.#next }] : rows;
  }

  getTreeItem(row: Row): vscode.TreeItem {
    if ('more' in row) {
      const item = new vscode.TreeItem(vscode.l10n.t('Older sessions…'));
      item.command = { command: 'pilotfish.moreSessions', title: '' };
      return item;
    }
    const item = new vscode.TreeItem(titleOf(row));
    const isHere = this.sessions.roots().includes(row.workspace);
    item.id = row.id;
    item.description = [row.status.state === 'idle' ? age(row.updatedAt) : row.status.text, isHere ? '' : name(row.workspace)].filter(Boolean).join(' · ');
    item.tooltip = `${titleOf(row)}\n${row.workspace}\n${row.mode} · ${row.model ?? '–'}\n${row.status.text}`;
    const [icon, colour] = row.id === this.sessions.current?.id && row.status.state === 'idle' ? ['circle-filled'] : (ICONS[row.status.state] ?? ['circle-outline']);
    item.iconPath = new vscode.ThemeIcon(icon, colour ? new vscode.ThemeColor(colour) : undefined);
    item.contextValue = row.archived ? 'session.archived' : 'session';
    item.command = { command: 'pilotfish.selectSession', title: '', arguments: [row] };
    item.accessibilityInformation = { label: [titleOf(row), row.status.text, age(row.updatedAt)].filter(Boolean).join(', ') };
    return item;
  }

  /** Loads a page more. */
  async more(): Promise<void> {
    const cursor = this.#next;
    if (!cursor) return;
    // Taken at once: a second press loads no page twice.
    this.#next = undefined;
    await this.#load(cursor).catch((error: unknown) => {
      this.#next = cursor;
      throw error;
    });
    this.#changes.fire();
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions, this.#changes).dispose();
  }

  async #load(cursor?: string): Promise<void> {
    const list = await this.connection.request('session/list', { workspace: this.sessions.root(), cursor, archived: this.#archived || undefined });
    const before = cursor ? this.#rows : [];
    const known = new Set(before.map((row) => row.id));
    this.#rows = [...before, ...list.sessions.filter((row) => !known.has(row.id))];
    this.#next = list.nextCursor;
  }

  #replace(session: Session): void {
    if (!this.#loaded) return;
    const others = this.#rows.filter((row) => row.id !== session.id);
    const isListed = others.length < this.#rows.length;
    if (!isListed && !this.sessions.roots().includes(session.workspace)) return;
    this.#rows = session.archived && !this.#archived ? others : [...others, session];
    this.#changes.fire();
  }

  async #open(): Promise<void> {
    const roots = this.sessions.roots();
    const picked = roots.length > 1 ? await vscode.window.showQuickPick(roots, { placeHolder: vscode.l10n.t('In which folder does the session work?') }) : roots[0];
    if (!picked && roots.length > 1) return;
    await this.sessions.open(picked);
    await vscode.commands.executeCommand('pilotfish.openChat');
  }

  async #select(session: Session): Promise<void> {
    await this.sessions.select(session.id);
    await vscode.commands.executeCommand('pilotfish.openChat');
  }

  /** A list that is searched by the words of transcripts as they are typed. */
  async #search(): Promise<void> {
    const pick = vscode.window.createQuickPick<vscode.QuickPickItem & { session: Session }>();
    pick.placeholder = vscode.l10n.t('Search sessions by their titles and words');
    // What the daemon found is what is shown, also when the label does not hold the words.
    const load = async (query: string): Promise<void> => {
      pick.busy = true;
      const { sessions } = await this.connection.request('session/list', { workspace: this.sessions.root(), query: query || undefined });
      if (pick.value !== query) return;
      pick.items = sessions.map((session) => ({
        label: titleOf(session),
        description: [session.status.text, age(session.updatedAt)].filter(Boolean).join(' · '),
        detail: this.sessions.roots().includes(session.workspace) ? undefined : session.workspace,
        alwaysShow: true,
        session,
      }));
      pick.busy = false;
    };
    pick.onDidChangeValue((value) => void load(value).catch(() => undefined));
    pick.onDidAccept(() => {
      const session = pick.selectedItems[0]?.session;
      pick.hide();
      if (session) this.#select(session).catch(warn);
    });
    pick.onDidHide(() => pick.dispose());
    pick.show();
    await load('');
  }

  async #rename(target?: Session): Promise<void> {
    const session = target ?? this.sessions.current;
    if (!session) return;
    const title = await vscode.window.showInputBox({ value: session.title, prompt: vscode.l10n.t('Title of the session') });
    if (title?.trim()) await this.connection.request('session/rename', { sessionId: session.id, title: title.trim() });
  }

  async #fork(target?: Session): Promise<void> {
    const from = target ?? this.sessions.current;
    if (!from) return;
    const { session } = await this.connection.request('session/fork', { sessionId: from.id });
    this.refresh();
    await this.#select(session);
  }

  async #archive(target: Session | undefined, archived: boolean): Promise<void> {
    const session = target ?? this.sessions.current;
    if (!session) return;
    await this.connection.request('session/archive', { sessionId: session.id, archived });
    if (archived && session.id === this.sessions.current?.id) this.sessions.clear();
    this.refresh();
    if (!archived) return;
    this.#offerBack(vscode.l10n.t('“{0}” was archived.', titleOf(session)), () => this.connection.request('session/archive', { sessionId: session.id, archived: false }));
  }

  async #delete(target?: Session): Promise<void> {
    const session = target ?? this.sessions.current;
    if (!session) return;
    await this.connection.request('session/delete', { sessionId: session.id });
    if (session.id === this.sessions.current?.id) this.sessions.clear();
    this.refresh();
    this.#offerBack(vscode.l10n.t('“{0}” was deleted.', titleOf(session)), () => this.connection.request('session/delete', { sessionId: session.id, restore: true }));
  }

  #offerBack(text: string, undo: () => Promise<unknown>): void {
    const back = vscode.l10n.t('Undo');
    const ask = async (): Promise<void> => {
      if ((await vscode.window.showInformationMessage(text, back)) !== back) return;
      await undo();
      this.refresh();
    };
    ask().catch(warn);
  }
}

/** A session has no title before its first prompt. */
function titleOf(session: Session): string {
  return session.title || vscode.l10n.t('New session');
}

function name(path: string): string {
  return path.split('/').filter(Boolean).at(-1) ?? path;
}

/** How long ago something was, as short as can be read. */
function age(at: string): string {
  const minutes = Math.max(0, Math.round((Date.now() - Date.parse(at)) / 60_000));
  if (minutes < 1) return vscode.l10n.t('now');
  if (minutes < 60) return vscode.l10n.t('{0} min', minutes);
  if (minutes < 24 * 60) return vscode.l10n.t('{0} h', Math.round(minutes / 60));
  return vscode.l10n.t('{0} d', Math.round(minutes / 60 / 24));
}

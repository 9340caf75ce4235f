// The Changes view: what waits for review, by session, turn and file.

import * as vscode from 'vscode';
import type { Connection } from '../client';
import type { Hunk, TrustState } from '../protocol';
import type { Sessions } from '../session';
import type { Review } from './hunks';
import { amount, countsText, filesText } from './place';
import type { Group } from './verbs';

/** A row. Commands get it, and act on its hunks. */
export interface Row extends Group {
  kind: 'session' | 'turn' | 'file' | 'trust';
  id: string;
  children: Row[];
  uri?: vscode.Uri;
}

/** Serves the view's rows. */
export class Changes implements vscode.TreeDataProvider<Row>, vscode.Disposable {
  readonly #changes = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changes.event;
  readonly #view: vscode.TreeView<Row>;
  readonly #subscriptions: vscode.Disposable[];
  /** First words of the prompts of turns, and titles of sessions. */
  readonly #titles = new Map<string, string>();
  readonly #asked = new Set<string>();
  #trust: TrustState | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly sessions: Sessions,
    private readonly review: Review,
  ) {
    this.#view = vscode.window.createTreeView('pilotfish.changes', { treeDataProvider: this, showCollapseAll: false });
    this.#subscriptions = [
      this.#view,
      review.onChange(() => this.#refresh()),
      sessions.onCurrent(() => void this.askTrust()),
      connection.onState((state) => {
        if (state === 'ready') void this.askTrust();
      }),
      connection.onNotification('session/changed', ({ session }) => {
        if (this.#titles.has(session.id)) this.#titles.set(session.id, session.title);
      }),
    ];
  }

  /** Asks again whether this folder ships something that nobody spoke of. */
  async askTrust(): Promise<void> {
    const workspace = this.sessions.root();
    if (!workspace) return;
    this.#trust = await this.connection.request('trust/get', { workspace }).catch(() => undefined);
    this.#refresh();
  }

  getChildren(row?: Row): Row[] {
    if (row) return row.children;
    const hunks = this.review.files().flatMap((file) => file.hunks);
    return [...this.#trustRow(), ...grouped(hunks, 'session', (hunk) => hunk.sessionId, (id) => this.#title(id, id)).map((session) => this.#turns(session))];
  }

  getTreeItem(row: Row): vscode.TreeItem {
    const item = new vscode.TreeItem(row.label);
    item.id = row.id;
    item.collapsibleState = row.children.length > 0 ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.None;
    item.contextValue = row.kind === 'trust' ? 'trust' : [row.kind, ...new Set(row.hunks.map((hunk) => hunk.state))].join('.');
    if (row.kind === 'trust') return this.#trustItem(item);
    const { files, text } = { files: new Set(row.hunks.map((hunk) => hunk.uri)).size, text: countsText(row.hunks) };
    item.description = row.kind === 'file' ? text : `${text} · ${filesText(files)}`;
    if (row.kind === 'file' && row.uri) {
      item.resourceUri = row.uri;
      item.iconPath = icon(row.hunks);
      item.command = { command: 'pilotfish.reviewFile', title: '', arguments: [row] };
      item.tooltip = fileTooltip(row);
      item.accessibilityInformation = { label: `${vscode.workspace.asRelativePath(row.uri)}, ${fileTooltip(row)}` };
    } else {
      item.iconPath = new vscode.ThemeIcon(row.kind === 'session' ? 'comment-discussion' : 'comment');
    }
    return item;
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions, this.#changes).dispose();
  }

  #refresh(): void {
    const { hunks } = this.review.summary();
    this.#view.badge = hunks > 0 ? { value: hunks, tooltip: amount(hunks, vscode.l10n.t('1 change waits for review'), vscode.l10n.t('{0} changes wait for review')) } : undefined;
    this.#changes.fire();
  }

  #turns(session: Row): Row {
    const hasOneTurn = new Set(session.hunks.map((hunk) => hunk.turnId)).size === 1;
    if (hasOneTurn) return { ...session, children: files(session.hunks, session.id) };
    const turns = grouped(session.hunks, 'turn', (hunk) => hunk.turnId, (id) => this.#title(id, session.id));
    const children = turns.map((turn) => ({ ...turn, id: `${session.id}/${turn.id}`, children: files(turn.hunks, `${session.id}/${turn.id}`) }));
    return { ...session, children };
  }

  /** The title of a session or turn; when it is not known it is asked for, and the view is drawn again. */
  #title(id: string, sessionId: string): string {
    const known = this.#titles.get(id);
    if (known === undefined && !this.#asked.has(id)) {
      this.#asked.add(id);
      void this.#askTitles(sessionId);
    }
    return known ?? '…';
  }

  async #askTitles(sessionId: string): Promise<void> {
    try {
      const attached = this.sessions.current?.id === sessionId ? this.sessions.current : undefined;
      const { sessions } = attached ? { sessions: [attached] } : await this.connection.request('session/list', {});
      const session = sessions.find((session) => session.id === sessionId);
      this.#titles.set(sessionId, session?.title ?? vscode.l10n.t('Another session'));
      const { items } = await this.connection.request('session/items', { sessionId, limit: 200 });
      for (const { turnId, content } of items) {
        if (content.kind !== 'userMessage' || !turnId || this.#titles.has(turnId)) continue;
        const words = content.input.find((part) => part.type === 'text');
        if (words?.type === 'text') this.#titles.set(turnId, words.text.split('\n', 1)[0] ?? '');
      }
    } catch (error) {
      this.connection.log.debug(String(error));
    }
    this.#changes.fire();
  }

  #trustRow(): Row[] {
    const ships = this.#trust?.trust === 'unknown' ? this.#trust.ships : [];
    return ships.length > 0 ? [{ kind: 'trust', id: 'trust', label: vscode.l10n.t('This folder ships settings for agents'), hunks: [], children: [] }] : [];
  }

  #trustItem(item: vscode.TreeItem): vscode.TreeItem {
    item.iconPath = new vscode.ThemeIcon('workspace-unknown');
    item.description = this.#trust?.ships.map((shipped) => shipped.path).join(', ');
    item.tooltip = vscode.l10n.t('They have no effect until you trust them. Click to decide.');
    item.command = { command: 'pilotfish.trust', title: '' };
    return item;
  }
}

function grouped(hunks: Hunk[], kind: 'session' | 'turn', by: (hunk: Hunk) => string, title: (id: string) => string): Row[] {
  return [...Map.groupBy(hunks, by)].map(([id, those]) => ({ kind, id, label: title(id), hunks: those, children: [] }));
}

function files(hunks: Hunk[], parent: string): Row[] {
  return [...Map.groupBy(hunks, (hunk) => hunk.uri)].map(([text, those]) => {
    const uri = vscode.Uri.parse(text);
    return { kind: 'file', id: `${parent}/${text}`, label: vscode.workspace.asRelativePath(uri), hunks: those, children: [], uri };
  });
}

function icon(hunks: Hunk[]): vscode.ThemeIcon {
  if (hunks.some((hunk) => hunk.state === 'conflict')) return new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
  if (hunks.some((hunk) => hunk.state === 'proposed')) return new vscode.ThemeIcon('lightbulb');
  return new vscode.ThemeIcon('diff-modified');
}

function fileTooltip({ hunks }: Row): string {
  const count = (state: Hunk['state']): number => hunks.filter((hunk) => hunk.state === state).length;
  const [applied, proposed, conflict] = [count('applied'), count('proposed'), count('conflict')];
  return [
    applied > 0 && amount(applied, vscode.l10n.t('1 change to keep or undo'), vscode.l10n.t('{0} changes to keep or undo')),
    proposed > 0 && amount(proposed, vscode.l10n.t('1 proposal to accept or reject'), vscode.l10n.t('{0} proposals to accept or reject')),
    conflict > 0 && amount(conflict, vscode.l10n.t('1 meets lines that you changed'), vscode.l10n.t('{0} meet lines that you changed')),
  ]
    .filter(Boolean)
    .join(', ');
}

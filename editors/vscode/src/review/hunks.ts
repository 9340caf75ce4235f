// Holds the hunks that wait for review, as the daemon says them. It computes none and moves none.

import * as vscode from 'vscode';
import type { Connection } from '../client';
import type { Hunk, HunkList } from '../protocol';
import type { Sessions } from '../session';

/** The hunks of one file. */
export interface FileHunks {
  uri: vscode.Uri;
  /** The version of our text that they speak of; absent when they speak of another text. */
  version?: number;
  hunks: Hunk[];
}

/** What waits, in numbers. */
export interface Summary {
  files: number;
  hunks: number;
  added: number;
  removed: number;
  conflicts: number;
  proposed: number;
}

/** All hunks of this window's folders. */
export class Review implements vscode.Disposable {
  readonly #files = new Map<string, FileHunks>();
  readonly #changes = new vscode.EventEmitter<vscode.Uri | undefined>();
  readonly #subscriptions: vscode.Disposable[];

  constructor(
    private readonly connection: Connection,
    private readonly sessions: Sessions,
  ) {
    this.#subscriptions = [
      connection.onNotification('review/changed', (list) => this.#take(list)),
      connection.onState((state) => {
        if (state === 'ready') void this.#load();
      }),
      vscode.workspace.onDidChangeWorkspaceFolders(() => {
        if (connection.state === 'ready') void this.#load();
      }),
      // Hunks of a file that was closed speak of no version; now there is one.
      vscode.workspace.onDidOpenTextDocument(({ uri }) => {
        if (this.of(uri)) setTimeout(() => void this.#ask(uri), 0);
      }),
    ];
  }

  /** Calls `handler` when the hunks of a file changed; without a file, when those of many did. */
  onChange(handler: (uri: vscode.Uri | undefined) => void): vscode.Disposable {
    return this.#changes.event(handler);
  }

  /** The files with hunks, by their paths. */
  files(): FileHunks[] {
    return [...this.#files.values()].sort((a, b) => a.uri.path.localeCompare(b.uri.path));
  }

  /** The hunks of a file. */
  of(uri: vscode.Uri): FileHunks | undefined {
    return this.#files.get(uri.toString());
  }

  /** The hunks of a text, when they speak of the text as it is now. */
  drawn(document: vscode.TextDocument): Hunk[] | undefined {
    const file = this.of(document.uri);
    if (!file) return [];
    return file.version === document.version ? file.hunks : undefined;
  }

  /** What waits, in numbers. */
  summary(): Summary {
    const hunks = this.files().flatMap((file) => file.hunks);
    const count = (state: Hunk['state']): number => hunks.filter((hunk) => hunk.state === state).length;
    return {
      files: this.#files.size,
      hunks: hunks.length,
      added: sum(hunks.map((hunk) => hunk.newRange.end - hunk.newRange.start)),
      removed: sum(hunks.map((hunk) => hunk.oldRange.end - hunk.oldRange.start)),
      conflicts: count('conflict'),
      proposed: count('proposed'),
    };
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions, this.#changes).dispose();
  }

  async #load(): Promise<void> {
    const lists = await Promise.all(
      this.sessions.roots().map((workspace) => this.connection.request('review/list', { workspace }).catch(() => ({ hunks: [] as Hunk[] }))),
    );
    this.#files.clear();
    for (const hunk of lists.flatMap((list) => list.hunks)) {
      const uri = vscode.Uri.parse(hunk.uri);
      const file = this.#files.get(uri.toString()) ?? { uri, version: hunk.version, hunks: [] };
      file.hunks.push(hunk);
      this.#files.set(uri.toString(), file);
    }
    this.#changes.fire(undefined);
  }

  async #ask(uri: vscode.Uri): Promise<void> {
    const workspace = vscode.workspace.getWorkspaceFolder(uri)?.uri.fsPath;
    if (!workspace) return;
    const list = await this.connection.request('review/list', { workspace, uri: uri.toString() }).catch(() => undefined);
    if (list) this.#take({ ...list, uri: uri.toString() });
  }

  #take(list: HunkList): void {
    if (!list.uri) return;
    const uri = vscode.Uri.parse(list.uri);
    if (!vscode.workspace.getWorkspaceFolder(uri)) return;
    if (list.hunks.length === 0) this.#files.delete(uri.toString());
    else this.#files.set(uri.toString(), { uri, version: list.version, hunks: list.hunks });
    this.#changes.fire(uri);
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

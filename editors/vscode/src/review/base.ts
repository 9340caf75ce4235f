// Texts that are only shown: what a file was before its review, and what it would be with what is proposed for it.

import * as vscode from 'vscode';
import type { Connection } from '../client';
import type { Review } from './hunks';

/** The scheme of a file's text when its review began. */
export const BASE = 'pilotfish-base';
/** The scheme of a file with the proposals that wait. */
export const PROPOSAL = 'pilotfish-proposal';

/** The text of a file under one of the schemes. */
export function shown(scheme: typeof BASE | typeof PROPOSAL, uri: vscode.Uri): vscode.Uri {
  return uri.with({ scheme });
}

/** Serves both schemes, and says when a text is another. */
export class ShownTexts implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #changes = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changes.event;
  readonly #subscriptions: vscode.Disposable[];

  constructor(
    private readonly connection: Connection,
    private readonly review: Review,
  ) {
    this.#subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(BASE, this),
      vscode.workspace.registerTextDocumentContentProvider(PROPOSAL, this),
      review.onChange((uri) => {
        const open = vscode.workspace.textDocuments.filter((document) => document.uri.scheme === BASE || document.uri.scheme === PROPOSAL);
        for (const document of open) if (!uri || document.uri.path === uri.path) this.#changes.fire(document.uri);
      }),
    ];
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const file = uri.with({ scheme: 'file' });
    return uri.scheme === BASE ? this.#base(file) : this.#proposal(file);
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions, this.#changes).dispose();
  }

  async #base(file: vscode.Uri): Promise<string> {
    try {
      return (await this.connection.request('review/base', { uri: file.toString() })).text;
    } catch {
      // Its review is over: nothing differs any more.
      return current(file);
    }
  }

  async #proposal(file: vscode.Uri): Promise<string> {
    const text = (await current(file)).match(/[^\n]*\n|[^\n]+$/g) ?? [];
    const proposed = this.review.of(file)?.hunks.filter((hunk) => hunk.state !== 'applied') ?? [];
    for (const hunk of [...proposed].reverse()) {
      text.splice(hunk.oldRange.start, hunk.oldRange.end - hunk.oldRange.start, hunk.newText);
    }
    return text.join('');
  }
}

/** A file's text as it is, saved or not; empty when there is none. */
async function current(file: vscode.Uri): Promise<string> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.toString() === file.toString());
  if (open) return open.getText();
  return vscode.workspace.fs.readFile(file).then(
    (bytes) => new TextDecoder().decode(bytes),
    () => '',
  );
}

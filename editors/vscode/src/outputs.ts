// Long outputs as documents: what a tool said, what a command in the background says. They are read from the daemon when they are opened.

import * as vscode from 'vscode';
import type { Connection } from './client';

const SCHEME = 'pilotfish-output';
const PAGE = 1 << 20;
/** More than this is no document any more. */
const MAX_BYTES = 32 << 20;

/** Whose output. */
export interface Output {
  sessionId: string;
  itemId?: string;
  commandId?: string;
  title: string;
}

/** Serves outputs as read-only texts. */
export class Outputs implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);

  constructor(private readonly connection: Connection) {}

  /** Shows an output in an editor, by the person's own press. */
  async open(output: Output): Promise<void> {
    const name = output.title.replace(/[^\w.-]+/g, ' ').trim().slice(0, 60) || 'output';
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}.log`, query: JSON.stringify(output) });
    await vscode.window.showTextDocument(uri, { preview: true });
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const { sessionId, itemId, commandId } = JSON.parse(uri.query) as Output;
    if (commandId) return (await this.connection.request('command/read', { sessionId, commandId })).text;
    if (!itemId) return '';
    const parts: string[] = [];
    for (let offset = 0, total = 1; offset < total && offset < MAX_BYTES; ) {
      const page = await this.connection.request('session/output', { sessionId, itemId, offset, limit: PAGE });
      if (page.text === '') break;
      parts.push(page.text);
      offset += Buffer.byteLength(page.text);
      total = page.total;
    }
    return parts.join('');
  }

  dispose(): void {
    this.#registration.dispose();
  }
}

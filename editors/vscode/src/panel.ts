// The chat panel's webview.

import * as vscode from 'vscode';
import type { Connection } from './client';
import type { Review } from './review/hunks';
import type { Sessions } from './session';

/** The view that shows the session. */
export class Panel implements vscode.WebviewViewProvider {
  constructor(
    readonly context: vscode.ExtensionContext,
    readonly connection: Connection,
    readonly sessions: Sessions,
    readonly review: Review,
  ) {}

  /** Whether it is in sight. */
  get isVisible(): boolean {
    return false;
  }

  /** Shows the panel and puts the keyboard's focus there, by the person's own command. */
  async focus(_target: 'composer' | 'approval' | 'lastMessage' = 'composer'): Promise<void> {
    await vscode.commands.executeCommand('pilotfish.chat.focus');
  }

  /** Puts a file, or lines of it, among the chips of what the next prompt is asked about. */
  async add(_uri: vscode.Uri, _range?: vscode.Range): Promise<void> {
    await this.focus();
  }

  resolveWebviewView(_view: vscode.WebviewView): void {
    void this.connection.start();
  }
}

// Wires the parts together. It owns nothing else.

import * as vscode from 'vscode';
import { Connection } from './client';
import { Edits } from './edits';
import { Panel } from './panel';
import { Review } from './review/hunks';
import { Sessions } from './session';

/** Called by the editor when the extension is first needed. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('pilotfish', { log: true });
  const edits = new Edits(log);
  const connection = new Connection(log, { workspace: { handleApplyEdit: ({ edit }) => edits.apply(edit) } });
  const sessions = new Sessions(connection, context.workspaceState);
  const review = new Review(connection, sessions);
  const panel = new Panel(context, connection, sessions, review);
  context.subscriptions.push(
    log,
    edits,
    connection,
    sessions,
    review,
    vscode.window.registerWebviewViewProvider('pilotfish.chat', panel),
  );
  // Nothing is started for a folder in which nobody ever asked anything.
  if (sessions.wasUsed) void connection.start();
}

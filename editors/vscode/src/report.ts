// Tells the daemon what the person looks at and which problems the editor shows.

import * as vscode from 'vscode';
import type { Connection } from './client';
import type { Range, Severity } from './protocol';

/** Not more often than this, in milliseconds. */
const PAUSE_MS = 150;
const SEVERITIES: Severity[] = ['error', 'warning', 'information', 'hint'];

/** Sends `editor/state` and `editor/diagnostics`. */
export function report(connection: Connection): vscode.Disposable {
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      connection.notify('editor/state', state());
    }, PAUSE_MS);
  };
  const problems = (uris: readonly vscode.Uri[]): void => {
    for (const uri of uris) if (uri.scheme === 'file') connection.notify('editor/diagnostics', diagnostics(uri));
  };
  return vscode.Disposable.from(
    { dispose: () => clearTimeout(timer) },
    vscode.window.onDidChangeActiveTextEditor(soon),
    vscode.window.onDidChangeTextEditorSelection(soon),
    vscode.window.onDidChangeTextEditorVisibleRanges(soon),
    vscode.window.onDidChangeWindowState(soon),
    vscode.languages.onDidChangeDiagnostics(({ uris }) => problems(uris)),
    connection.onState((now) => {
      if (now !== 'ready') return;
      soon();
      problems(vscode.languages.getDiagnostics().map(([uri]) => uri));
    }),
  );
}

function state(): { focused: boolean; uri?: string; selection?: Range; visible?: Range } {
  const { focused } = vscode.window.state;
  const editor = vscode.window.activeTextEditor;
  if (!editor || editor.document.uri.scheme !== 'file') return { focused };
  const visible = editor.visibleRanges[0];
  return { focused, uri: editor.document.uri.toString(), selection: plain(editor.selection), visible: visible && plain(visible) };
}

function diagnostics(uri: vscode.Uri) {
  const version = vscode.workspace.textDocuments.find((document) => document.uri.toString() === uri.toString())?.version;
  const found = vscode.languages.getDiagnostics(uri).map(({ range, severity, message, source, code }) => ({
    range: plain(range),
    severity: SEVERITIES[severity] ?? 'hint',
    message,
    source,
    code: code === undefined ? undefined : String(typeof code === 'object' ? code.value : code),
  }));
  return { uri: uri.toString(), version, diagnostics: found };
}

/** A range without the editor's own fields. */
export function plain({ start, end }: vscode.Range): Range {
  return { start: { line: start.line, character: start.character }, end: { line: end.line, character: end.character } };
}

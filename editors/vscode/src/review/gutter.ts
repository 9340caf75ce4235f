// Marks hunks in the gutter as source control does, where that is wished for. It costs an entry in the Source Control view.

import * as vscode from 'vscode';
import { BASE, shown } from './base';
import type { Review } from './hunks';

/** Keeps the entry as long as the setting wishes for it. */
export function gutter(review: Review): vscode.Disposable {
  let entry: vscode.SourceControl | undefined;
  const apply = (): void => {
    const isWished = vscode.workspace.getConfiguration('pilotfish.review').get('gutter', false);
    if (isWished === (entry !== undefined)) return;
    entry?.dispose();
    entry = isWished ? vscode.scm.createSourceControl('pilotfish', 'pilotfish') : undefined;
    if (!entry) return;
    entry.inputBox.visible = false;
    entry.quickDiffProvider = { provideOriginalResource: (uri) => (uri.scheme === 'file' && review.of(uri) ? shown(BASE, uri) : undefined) };
  };
  apply();
  return vscode.Disposable.from(
    { dispose: () => entry?.dispose() },
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration('pilotfish.review.gutter')) apply();
    }),
  );
}

// Shows what went wrong, where nobody else would.

import * as vscode from 'vscode';

/** Shows an error in its own words. */
export function warn(error: unknown): void {
  void vscode.window.showWarningMessage(error instanceof Error ? error.message : String(error));
}

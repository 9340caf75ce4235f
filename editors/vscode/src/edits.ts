// Changes open texts when the daemon asks for it. It decides nothing but whether now is a good moment: a text that is newer than the
// daemon's, a person who types nearby and a file outside of the workspace are answered with a reason, and nothing is touched.

import * as vscode from 'vscode';

/** What the daemon is answered. */
export interface Applied {
  applied: boolean;
  failureReason?: string;
}

/** One text and its edits, as the language server protocol has them. */
interface TextEdits {
  textDocument: { uri: string; version?: number | null };
  edits: { range: { start: vscode.Position; end: vscode.Position }; newText: string }[];
}

/** How long after a key somebody still types, in milliseconds. */
const TYPING_MS = 500;
/** How near to the caret an edit disturbs, in lines. */
const NEAR_LINES = 10;

/** The daemon's edits of texts that are open here. */
export class Edits implements vscode.Disposable {
  readonly #typed = new Map<string, number>();
  readonly #ours = new Set<string>();
  readonly #subscriptions: vscode.Disposable[];

  constructor(private readonly log: vscode.LogOutputChannel) {
    this.#subscriptions = [
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        const uri = document.uri.toString();
        if (contentChanges.length > 0 && !this.#ours.has(uri)) this.#typed.set(uri, Date.now());
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => void this.#typed.delete(uri.toString())),
    ];
  }

  /** Carries out `workspace/applyEdit`, or says why not. */
  async apply(edit: unknown): Promise<Applied> {
    const changes = textEdits(edit);
    if (!changes) return refused('only edits of texts are made, of one version each');
    const documents: vscode.TextDocument[] = [];
    for (const { textDocument, edits } of changes) {
      const uri = vscode.Uri.parse(textDocument.uri, true);
      if (!isInside(uri)) {
        this.log.warn(`an edit outside of the workspace was refused: ${textDocument.uri}`);
        return refused(`${textDocument.uri} lies outside of the folders of this window`);
      }
      const document = vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri.toString());
      if (!document) return refused(`${textDocument.uri} is not open`);
      if (document.version !== textDocument.version) return { applied: false };
      if (this.#isBusy(document, edits)) return refused('busy');
      documents.push(document);
    }
    return this.#write(changes, documents);
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions).dispose();
  }

  /** Whether somebody types right now where the edits would go. */
  #isBusy(document: vscode.TextDocument, edits: TextEdits['edits']): boolean {
    if (Date.now() - (this.#typed.get(document.uri.toString()) ?? 0) > TYPING_MS) return false;
    const editors = vscode.window.visibleTextEditors.filter((editor) => editor.document === document);
    const carets = editors.flatMap((editor) => editor.selections.map((selection) => selection.active.line));
    return edits.some(({ range }) => carets.some((line) => line >= range.start.line - NEAR_LINES && line <= range.end.line + NEAR_LINES));
  }

  async #write(changes: TextEdits[], documents: vscode.TextDocument[]): Promise<Applied> {
    const edit = new vscode.WorkspaceEdit();
    const wereClean = documents.filter((document) => !document.isDirty);
    documents.forEach((document, index) => {
      const edits = (changes[index]?.edits ?? []).map(({ range, newText }) => {
        const { start, end } = range;
        return vscode.TextEdit.replace(new vscode.Range(start.line, start.character, end.line, end.character), newText);
      });
      edit.set(document.uri, edits);
    });
    const uris = documents.map(({ uri }) => uri.toString());
    uris.forEach((uri) => this.#ours.add(uri));
    try {
      if (!(await vscode.workspace.applyEdit(edit))) return { applied: false };
    } finally {
      uris.forEach((uri) => this.#ours.delete(uri));
    }
    // What was saved before is saved again, so that commands and other programs see it. What was not stays the person's.
    for (const document of wereClean) {
      if (document.isDirty) await document.save();
    }
    return { applied: true };
  }
}

/** The texts of an edit, when it is nothing but texts with their versions. */
function textEdits(edit: unknown): TextEdits[] | undefined {
  const changes = (edit as { documentChanges?: TextEdits[] }).documentChanges;
  if (!Array.isArray(changes) || changes.length === 0 || (edit as { changes?: unknown }).changes) return undefined;
  const isText = (change: TextEdits): boolean => typeof change.textDocument?.version === 'number' && Array.isArray(change.edits);
  return changes.every(isText) ? changes : undefined;
}

function isInside(uri: vscode.Uri): boolean {
  return uri.scheme === 'file' && vscode.workspace.getWorkspaceFolder(uri) !== undefined;
}

function refused(failureReason: string): Applied {
  return { applied: false, failureReason };
}

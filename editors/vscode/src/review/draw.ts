// Draws hunks over the real text: tinted lines, marks where lines went, badges of files. The text itself is never touched.

import * as vscode from 'vscode';
import type { Hunk } from '../protocol';
import type { Review } from './hunks';
import { lines, range } from './place';

const colour = (id: string): vscode.ThemeColor => new vscode.ThemeColor(id);
const Lane = vscode.OverviewRulerLane;

/** How each kind of place is drawn. The bar at the left tells them apart without their colours. */
const STYLES = {
  added: {
    isWholeLine: true,
    backgroundColor: colour('diffEditor.insertedLineBackground'),
    borderStyle: 'solid',
    borderWidth: '0 0 0 3px',
    borderColor: colour('editorGutter.addedBackground'),
    // Only high contrast has this colour: its themes tint nothing.
    outline: '1px dashed',
    outlineColor: colour('diffEditor.insertedTextBorder'),
    overviewRulerColor: colour('editorOverviewRuler.addedForeground'),
    overviewRulerLane: Lane.Center,
  },
  changedWords: { backgroundColor: colour('diffEditor.insertedTextBackground') },
  removedAbove: {
    isWholeLine: true,
    borderStyle: 'dashed',
    borderWidth: '1px 0 0 0',
    borderColor: colour('editorGutter.deletedBackground'),
    overviewRulerColor: colour('editorOverviewRuler.deletedForeground'),
    overviewRulerLane: Lane.Center,
  },
  removedBelow: {
    isWholeLine: true,
    borderStyle: 'dashed',
    borderWidth: '0 0 1px 0',
    borderColor: colour('editorGutter.deletedBackground'),
    overviewRulerColor: colour('editorOverviewRuler.deletedForeground'),
    overviewRulerLane: Lane.Center,
  },
  proposed: {
    isWholeLine: true,
    borderStyle: 'dotted',
    borderWidth: '0 0 0 3px',
    borderColor: colour('editorInfo.foreground'),
    overviewRulerColor: colour('editorInfo.foreground'),
    overviewRulerLane: Lane.Center,
  },
  conflict: {
    isWholeLine: true,
    borderStyle: 'double',
    borderWidth: '0 0 0 4px',
    borderColor: colour('editorWarning.foreground'),
    overviewRulerColor: colour('editorWarning.foreground'),
    overviewRulerLane: Lane.Center,
  },
} satisfies Record<string, vscode.DecorationRenderOptions>;

type Style = keyof typeof STYLES;
const NAMES = Object.keys(STYLES) as Style[];

/** Hunks in editors, and files with hunks in the explorer and in tabs. */
export class Drawing implements vscode.FileDecorationProvider, vscode.Disposable {
  #types = new Map<Style, vscode.TextEditorDecorationType>();
  readonly #badges = new vscode.EventEmitter<vscode.Uri[] | undefined>();
  readonly onDidChangeFileDecorations = this.#badges.event;
  readonly #subscriptions: vscode.Disposable[];

  constructor(private readonly review: Review) {
    this.#makeTypes();
    this.#subscriptions = [
      vscode.window.registerFileDecorationProvider(this),
      vscode.window.onDidChangeVisibleTextEditors((editors) => editors.forEach((editor) => this.#draw(editor))),
      vscode.window.onDidChangeActiveTextEditor(() => this.#tellKeys()),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (!change.affectsConfiguration('pilotfish.review.inline')) return;
        this.#makeTypes();
        vscode.window.visibleTextEditors.forEach((editor) => this.#draw(editor));
      }),
      review.onChange((uri) => {
        for (const editor of vscode.window.visibleTextEditors) {
          if (!uri || editor.document.uri.toString() === uri.toString()) this.#draw(editor);
        }
        this.#badges.fire(uri && [uri]);
        this.#tellKeys();
      }),
    ];
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const file = uri.scheme === 'file' ? this.review.of(uri) : undefined;
    if (!file) return undefined;
    const hasConflict = file.hunks.some((hunk) => hunk.state === 'conflict');
    const tooltip = hasConflict
      ? vscode.l10n.t('pilotfish: changes wait for review, some meet your own lines')
      : vscode.l10n.t('pilotfish: changes wait for review');
    return { badge: hasConflict ? 'P!' : 'P', tooltip, color: colour(hasConflict ? 'list.warningForeground' : 'charts.blue'), propagate: true };
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions, ...this.#types.values(), this.#badges).dispose();
  }

  #makeTypes(): void {
    this.#types.forEach((type) => type.dispose());
    const wish = vscode.workspace.getConfiguration('pilotfish.review').get<string>('inline', 'inline');
    const style = (name: Style): vscode.DecorationRenderOptions => {
      if (wish === 'none') return {};
      const { overviewRulerColor, overviewRulerLane }: vscode.DecorationRenderOptions = STYLES[name];
      return wish === 'ruler' ? { overviewRulerColor, overviewRulerLane } : STYLES[name];
    };
    this.#types = new Map(NAMES.map((name) => [name, vscode.window.createTextEditorDecorationType(style(name))]));
  }

  #draw(editor: vscode.TextEditor): void {
    const hunks = isCompared(editor) ? [] : this.review.drawn(editor.document);
    // They speak of another text: what is drawn moves with the text until the next ones come.
    if (!hunks) return;
    const drawn = new Map<Style, vscode.Range[]>(NAMES.map((name) => [name, []]));
    for (const hunk of hunks) for (const [name, where] of places(hunk, editor.document)) drawn.get(name)?.push(where);
    for (const [name, type] of this.#types) editor.setDecorations(type, drawn.get(name) ?? []);
  }

  #tellKeys(): void {
    const set = (key: string, value: boolean): void => void vscode.commands.executeCommand('setContext', `pilotfish.${key}`, value);
    const uri = vscode.window.activeTextEditor?.document.uri;
    const files = this.review.files();
    set('hasHunks', uri?.scheme === 'file' && this.review.of(uri) !== undefined);
    set('anyHunks', files.length > 0);
    set('anyProposals', files.some((file) => file.hunks.some((hunk) => hunk.state !== 'applied')));
  }
}

/** Whether the editor is a side of a comparison, which draws the difference by itself. */
function isCompared({ document, viewColumn }: vscode.TextEditor): boolean {
  if (viewColumn === undefined) return true;
  const shown = vscode.window.tabGroups.all.find((group) => group.viewColumn === viewColumn)?.activeTab?.input;
  return shown instanceof vscode.TabInputTextDiff && [shown.original, shown.modified].some((uri) => uri.toString() === document.uri.toString());
}

function places(hunk: Hunk, document: vscode.TextDocument): [Style, vscode.Range][] {
  if (hunk.state !== 'applied') return [[hunk.state === 'conflict' ? 'conflict' : 'proposed', range(hunk, document)]];
  const { start, end } = lines(hunk);
  if (start === end) return [[start < document.lineCount ? 'removedAbove' : 'removedBelow', range(hunk, document)]];
  const words = hunk.kind === 'change' ? hunk.spans : [];
  const drawn: [Style, vscode.Range][] = [['added', range(hunk, document)]];
  return [...drawn, ...words.map((span): [Style, vscode.Range] => ['changedWords', new vscode.Range(span.line, span.start, span.line, span.end)])];
}

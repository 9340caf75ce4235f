// Writes above each hunk what can be done with it, and shows what it replaced when the mouse rests on it.

import * as vscode from 'vscode';
import type { Hunk } from '../protocol';
import type { Review } from './hunks';
import { holds, range } from './place';

/** How long lenses wait for hunks of the text as it is; the old ones stay meanwhile. */
const PATIENCE_MS = 2000;
/** The longest old text that a hover shows, in lines. */
const HOVER_LINES = 40;

/** Lenses and hovers of hunks. */
export class Lenses implements vscode.CodeLensProvider, vscode.HoverProvider, vscode.Disposable {
  readonly #changes = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.#changes.event;
  readonly #subscriptions: vscode.Disposable[];

  constructor(private readonly review: Review) {
    this.#subscriptions = [
      vscode.languages.registerCodeLensProvider({ scheme: 'file' }, this),
      vscode.languages.registerHoverProvider({ scheme: 'file' }, this),
      review.onChange(() => this.#changes.fire()),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration('pilotfish.review.codeLens')) this.#changes.fire();
      }),
    ];
  }

  async provideCodeLenses(document: vscode.TextDocument, token: vscode.CancellationToken): Promise<vscode.CodeLens[]> {
    if (!vscode.workspace.getConfiguration('pilotfish.review', document).get('codeLens', true)) return [];
    const hunks = await this.#hunks(document, token);
    return hunks.flatMap((hunk, index) => lenses(hunk, range(hunk, document), `${index + 1}/${hunks.length}`));
  }

  provideHover(document: vscode.TextDocument, position: vscode.Position): vscode.Hover | undefined {
    const hunk = this.review.drawn(document)?.find((hunk) => holds(hunk, position.line));
    if (!hunk) return undefined;
    const { start, end } = range(hunk, document);
    return new vscode.Hover(hover(hunk), new vscode.Range(start, document.lineAt(end).range.end));
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions, this.#changes).dispose();
  }

  /** The hunks of the text as it is. While they are on their way the editor keeps the lenses it has, which move with the text. */
  #hunks(document: vscode.TextDocument, token: vscode.CancellationToken): Promise<Hunk[]> {
    const now = this.review.drawn(document);
    if (now) return Promise.resolve(now);
    return new Promise((resolve) => {
      const finish = (): void => {
        waiting.dispose();
        clearTimeout(timer);
        resolve(this.review.drawn(document) ?? []);
      };
      const timer = setTimeout(finish, PATIENCE_MS);
      const waiting = vscode.Disposable.from(
        this.review.onChange(() => {
          if (this.review.drawn(document)) finish();
        }),
        token.onCancellationRequested(finish),
      );
    });
  }
}

/** Keep and Undo are never neighbours: what shows the change stands between them. */
function lenses(hunk: Hunk, where: vscode.Range, place: string): vscode.CodeLens[] {
  const lens = (title: string, command: string): vscode.CodeLens => new vscode.CodeLens(where, { title, command: `pilotfish.${command}`, arguments: [reference(hunk)] });
  const old = hunk.oldRange.end - hunk.oldRange.start;
  switch (hunk.state) {
    case 'applied':
      return [
        lens(`$(check)\u00a0${vscode.l10n.t('Keep')}`, 'keepHunk'),
        lens(old > 0 ? vscode.l10n.t('Show old ({0}) · {1}', old, place) : vscode.l10n.t('New · {0}', place), 'showOld'),
        lens(`$(discard)\u00a0${vscode.l10n.t('Undo')}`, 'undoHunk'),
      ];
    case 'proposed':
      return [
        lens(`$(check)\u00a0${vscode.l10n.t('Accept')}`, 'acceptHunk'),
        lens(vscode.l10n.t('Show proposal · {0}', place), 'showProposal'),
        lens(`$(close)\u00a0${vscode.l10n.t('Reject')}`, 'rejectHunk'),
      ];
    case 'conflict':
      return [
        lens(`$(warning)\u00a0${vscode.l10n.t('You changed these lines too · {0}', place)}`, 'showProposal'),
        lens(`$(close)\u00a0${vscode.l10n.t('Drop the proposal')}`, 'rejectHunk'),
      ];
  }
}

/** How a command names a hunk. */
export interface HunkReference {
  id: string;
  uri: string;
}

/** The name of a hunk for a command. */
export function reference({ id, uri }: Hunk): HunkReference {
  return { id, uri };
}

function hover(hunk: Hunk): vscode.MarkdownString {
  const commands = hunk.state === 'applied' ? ['keepHunk', 'showOld', 'undoHunk'] : ['acceptHunk', 'showProposal', 'rejectHunk'];
  const titles: Record<string, string> = {
    keepHunk: vscode.l10n.t('Keep'),
    showOld: vscode.l10n.t('Show old'),
    undoHunk: vscode.l10n.t('Undo'),
    acceptHunk: vscode.l10n.t('Accept'),
    showProposal: vscode.l10n.t('Show proposal'),
    rejectHunk: vscode.l10n.t('Reject'),
  };
  const text = new vscode.MarkdownString();
  text.isTrusted = { enabledCommands: commands.map((command) => `pilotfish.${command}`) };
  const argument = encodeURIComponent(JSON.stringify([reference(hunk)]));
  const usable = hunk.state === 'conflict' ? commands.slice(1) : commands;
  const links = usable.map((command) => `[${titles[command]}](command:pilotfish.${command}?${argument})`);
  if (hunk.oldText) text.appendCodeblock(marked('-', hunk.oldText), 'diff');
  if (hunk.state !== 'applied' && hunk.newText) text.appendCodeblock(marked('+', hunk.newText), 'diff');
  text.appendMarkdown(links.join('&nbsp;&nbsp;&nbsp;·&nbsp;&nbsp;&nbsp;'));
  return text;
}

function marked(sign: string, text: string): string {
  const all = text.replace(/\n$/, '').split('\n');
  const cut = all.slice(0, HOVER_LINES).map((line) => `${sign} ${line}`);
  return [...cut, ...(all.length > HOVER_LINES ? [`  ⋯ ${all.length - HOVER_LINES}`] : [])].join('\n');
}

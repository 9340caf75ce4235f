// The review's commands: which hunks a command means, and the request that carries it out. What becomes of the text is the daemon's.

import * as vscode from 'vscode';
import type { Connection } from '../client';
import type { Hunk, Methods } from '../protocol';
import type { Sessions } from '../session';
import { BASE, PROPOSAL, shown } from './base';
import type { FileHunks, Review } from './hunks';
import { type HunkReference, reference } from './lenses';
import { amount, countsText, filesText, holds, lines, range, type Verb } from './place';

/** How long what was kept can be taken back with one click, in milliseconds. */
const TAKE_BACK_MS = 10_000;

/** What a row of the Changes view stands for. */
export interface Group {
  label: string;
  hunks: Hunk[];
}

/** Hunks of a folder that were kept. */
interface Kept {
  workspace: string;
  hunkIds: string[];
}

type Target = HunkReference | Group | vscode.Uri | undefined;
/** Of a folder's hunks, those that a verb is for. */
type Selection = Omit<Methods['review/keep']['params'], 'workspace'>;

/** Carries out the review's commands. */
export class Verbs implements vscode.Disposable {
  /** What was kept last, so that it can be taken back. */
  #kept: Kept[] = [];
  readonly #takeBack: vscode.StatusBarItem;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly sessions: Sessions,
    private readonly review: Review,
  ) {
    this.#takeBack = vscode.window.createStatusBarItem('pilotfish.takeBack', vscode.StatusBarAlignment.Left, 0);
    this.#takeBack.command = 'pilotfish.unkeep';
  }

  /** The commands by their names, without the prefix. */
  commands(): Record<string, (target?: Target) => Promise<unknown>> {
    return {
      nextHunk: () => this.#go(1),
      previousHunk: () => this.#go(-1),
      keepHunk: (target) => this.#hunk('keep', target),
      undoHunk: (target) => this.#hunk('undo', target),
      acceptHunk: (target) => this.#hunk('accept', target),
      rejectHunk: (target) => this.#hunk('reject', target),
      keepSelection: () => this.#selection('keep'),
      undoSelection: () => this.#selection('undo'),
      keepFile: (target) => this.#file('keep', target),
      undoFile: (target) => this.#file('undo', target),
      acceptFile: (target) => this.#file('accept', target),
      rejectFile: (target) => this.#file('reject', target),
      keepTurn: (target) => this.#group('keep', target),
      undoTurn: (target) => this.#group('undo', target),
      keepSession: (target) => this.#group('keep', target),
      undoSession: (target) => this.#group('undo', target),
      keepAll: () => this.#all('keep'),
      undoAll: () => this.#all('undo'),
      acceptAll: () => this.#all('accept'),
      rejectAll: () => this.#all('reject'),
      unkeep: () => this.#unkeep(),
      showOld: (target) => this.#showOld(target),
      showProposal: (target) => this.#showProposal(target),
      reviewFile: (target) => this.#reviewFile(target),
      reviewAll: () => this.#reviewAll(),
    };
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#takeBack.dispose();
  }

  async #hunk(verb: Verb, target: Target): Promise<void> {
    const hunk = this.#found(target, verb);
    if (hunk) await this.#decide(verb, [hunk]);
  }

  async #selection(verb: Verb): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (!editor) return;
    const { start, end } = editor.selection;
    // A selection that ends at the beginning of a line holds nothing of that line.
    const last = end.character === 0 && end.line > start.line ? end.line : end.line + 1;
    const uri = editor.document.uri;
    await this.#ask(verb, uri, { uri: uri.toString(), range: { start: start.line, end: last } });
  }

  async #file(verb: Verb, target: Target): Promise<void> {
    const file = this.#fileOf(target);
    if (file) await this.#decide(verb, fitting(verb, file.hunks));
  }

  async #group(verb: Verb, target: Target): Promise<void> {
    if (!target || !('hunks' in target)) return;
    const hunks = fitting(verb, target.hunks);
    if (verb === 'keep' || (await confirmed(verb, hunks))) await this.#decide(verb, hunks);
  }

  async #all(verb: Verb): Promise<void> {
    const hunks = fitting(verb, this.review.files().flatMap((file) => file.hunks));
    if (hunks.length === 0) return note(vscode.l10n.t('Nothing waits for review.'));
    if (verb === 'keep' || verb === 'accept' || (await confirmed(verb, hunks))) await this.#decide(verb, hunks);
  }

  async #decide(verb: Verb, hunks: Hunk[]): Promise<void> {
    if (hunks.length === 0) return note(vscode.l10n.t('No such change here.'));
    const byFolder = Map.groupBy(hunks, (hunk) => vscode.workspace.getWorkspaceFolder(vscode.Uri.parse(hunk.uri))?.uri.fsPath ?? '');
    const kept: Kept[] = [];
    for (const [workspace, those] of byFolder) {
      const hunkIds = those.map((hunk) => hunk.id);
      await this.connection.request(`review/${verb}`, { workspace, hunkIds });
      kept.push({ workspace, hunkIds });
    }
    if (verb === 'keep') this.#offerTakeBack(kept, hunks.length);
  }

  async #ask(verb: Verb, uri: vscode.Uri, selection: Selection): Promise<void> {
    const workspace = this.sessions.root(uri);
    if (workspace) await this.connection.request(`review/${verb}`, { workspace, ...selection });
  }

  #offerTakeBack(kept: Kept[], count: number): void {
    this.#kept = kept;
    this.#takeBack.text = `$(reply) ${amount(count, vscode.l10n.t('Kept. Take back'), vscode.l10n.t('Kept {0} changes. Take back'))}`;
    this.#takeBack.show();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#takeBack.hide(), TAKE_BACK_MS);
  }

  /** Takes the last keep back; when none is remembered, those of the file in the active editor. */
  async #unkeep(): Promise<void> {
    this.#takeBack.hide();
    const kept = this.#kept.splice(0);
    for (const { workspace, hunkIds } of kept) await this.connection.request('review/unkeep', { workspace, hunkIds });
    const uri = vscode.window.activeTextEditor?.document.uri;
    const workspace = this.sessions.root(uri);
    if (kept.length > 0 || !uri || !workspace) return;
    await this.connection.request('review/unkeep', { workspace, uri: uri.toString() });
  }

  async #go(step: 1 | -1): Promise<void> {
    const stops = this.review.files().flatMap((file) => file.hunks.map((hunk) => ({ uri: file.uri, hunk })));
    if (stops.length === 0) return note(vscode.l10n.t('Nothing waits for review.'));
    const editor = vscode.window.activeTextEditor;
    const path = editor?.document.uri.path ?? '';
    const line = editor?.selection.active.line ?? 0;
    const compare = (stop: (typeof stops)[number]): number => stop.uri.path.localeCompare(path) || lines(stop.hunk).start - line;
    const next = step > 0 ? (stops.find((stop) => compare(stop) > 0) ?? stops[0]) : (stops.findLast((stop) => compare(stop) < 0) ?? stops.at(-1));
    if (!next) return;
    const document = await vscode.workspace.openTextDocument(next.uri);
    const at = range(next.hunk, document).start;
    const shownIn = editor?.document === document ? editor : await vscode.window.showTextDocument(document);
    shownIn.selection = new vscode.Selection(at, at);
    shownIn.revealRange(new vscode.Range(at, at), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  async #showOld(target: Target): Promise<void> {
    const hunk = this.#found(target);
    const file = hunk && this.#fileOf(reference(hunk));
    if (file) await this.#diff(file.uri, BASE, hunk);
  }

  async #showProposal(target: Target): Promise<void> {
    const hunk = this.#found(target);
    const file = this.#fileOf(hunk ? reference(hunk) : target);
    if (file) await this.#diff(file.uri, PROPOSAL, hunk);
  }

  async #reviewFile(target: Target): Promise<void> {
    const file = this.#fileOf(target);
    if (file) await this.#diff(file.uri, file.hunks.every((hunk) => hunk.state !== 'applied') ? PROPOSAL : BASE);
  }

  /** Before the person decides of a proposal it stands at the right, as what would be; else the real file does, which can be edited. */
  async #diff(uri: vscode.Uri, scheme: typeof BASE | typeof PROPOSAL, hunk?: Hunk): Promise<void> {
    const name = vscode.workspace.asRelativePath(uri);
    const selection = hunk && new vscode.Range(lines(hunk).start, 0, lines(hunk).start, 0);
    const [left, right, title] =
      scheme === BASE
        ? [shown(BASE, uri), uri, vscode.l10n.t('{0} (before ↔ now)', name)]
        : [uri, shown(PROPOSAL, uri), vscode.l10n.t('{0} (now ↔ proposed)', name)];
    await vscode.commands.executeCommand('vscode.diff', left, right, title, { selection });
  }

  async #reviewAll(): Promise<void> {
    const files = this.review.files();
    if (files.length === 0) return note(vscode.l10n.t('Nothing waits for review.'));
    const rows = files.map((file) =>
      file.hunks.every((hunk) => hunk.state !== 'applied') ? [file.uri, file.uri, shown(PROPOSAL, file.uri)] : [file.uri, shown(BASE, file.uri), file.uri],
    );
    await vscode.commands.executeCommand('vscode.changes', vscode.l10n.t('pilotfish: {0} to review', filesText(files.length)), rows);
  }

  /** The hunk that is meant: the one that is named, or the first at the caret that the verb is for. */
  #found(target: Target, verb?: Verb): Hunk | undefined {
    if (target && 'id' in target) {
      const named = this.review.of(vscode.Uri.parse(target.uri))?.hunks.find((hunk) => hunk.id === target.id);
      if (!named) note(vscode.l10n.t('This change is decided already.'));
      return named;
    }
    const editor = vscode.window.activeTextEditor;
    const drawn = editor ? this.review.drawn(editor.document) : [];
    // Places in an older text would decide of another change than the one that is seen.
    if (!drawn) return void (target ?? note(vscode.l10n.t('The changes are being counted again. Try once more.')));
    const line = editor?.selection.active.line ?? 0;
    const hunk = (verb ? fitting(verb, drawn) : drawn).find((hunk) => holds(hunk, line));
    if (!hunk && !target) note(vscode.l10n.t('No change at the caret.'));
    return hunk;
  }

  #fileOf(target: Target): FileHunks | undefined {
    if (target instanceof vscode.Uri) return this.review.of(target);
    if (target && 'id' in target) return this.review.of(vscode.Uri.parse(target.uri));
    const first = target?.hunks[0];
    if (first) return this.review.of(vscode.Uri.parse(first.uri));
    const editor = vscode.window.activeTextEditor;
    return editor && this.review.of(editor.document.uri);
  }
}

/** Those of the hunks that a verb is for. */
function fitting(verb: Verb, hunks: Hunk[]): Hunk[] {
  const state = { keep: ['applied'], undo: ['applied'], accept: ['proposed'], reject: ['proposed', 'conflict'] }[verb];
  return hunks.filter((hunk) => state.includes(hunk.state));
}

/** Lists what would go and asks, by the person's own command. */
async function confirmed(verb: Verb, hunks: Hunk[]): Promise<boolean> {
  const files = Map.groupBy(hunks, (hunk) => hunk.uri);
  const rows = [...files].map(([uri, those]) => `${vscode.workspace.asRelativePath(vscode.Uri.parse(uri))}  ${countsText(those)}`);
  const own = hunks.filter((hunk) => hunk.userLines.length > 0).length;
  const detail = [...rows, ...(own > 0 ? ['', amount(own, vscode.l10n.t('1 of them contains your own lines: they are left.'), vscode.l10n.t('{0} of them contain your own lines: they are left.'))] : [])].join('\n');
  const action = verb === 'undo' ? amount(hunks.length, vscode.l10n.t('Undo 1 change'), vscode.l10n.t('Undo {0} changes')) : amount(hunks.length, vscode.l10n.t('Reject 1 proposal'), vscode.l10n.t('Reject {0} proposals'));
  const question = vscode.l10n.t('{0} in {1}?', action, filesText(files.size));
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, action)) === action;
}

function note(text: string): void {
  vscode.window.setStatusBarMessage(`$(info) ${text}`, 4000);
}

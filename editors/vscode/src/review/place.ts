// Where a hunk stands in the text that a person sees, and what may be done with it.

import * as vscode from 'vscode';
import type { Hunk, LineRange } from '../protocol';

/** What may be done with a hunk: what is in the text is kept or undone, what is not is accepted or rejected. */
export type Verb = 'keep' | 'undo' | 'accept' | 'reject';

/** The lines of the text as it is that a hunk is about; empty for a place between two lines. */
export function lines(hunk: Hunk): LineRange {
  return hunk.state === 'applied' ? hunk.newRange : hunk.oldRange;
}

/** Likewise as a range of a document, which has at least one line. */
export function range(hunk: Hunk, document: vscode.TextDocument): vscode.Range {
  const { start, end } = lines(hunk);
  const last = document.lineCount - 1;
  return new vscode.Range(Math.min(start, last), 0, Math.min(Math.max(start, end - 1), last), 0);
}

/** Whether a line is in a hunk, or beside it when the hunk has no lines of its own. */
export function holds(hunk: Hunk, line: number): boolean {
  const { start, end } = lines(hunk);
  return start === end ? line === start || line === start - 1 : line >= start && line < end;
}

/** How many lines come and go. */
export function counts(hunks: Hunk[]): { added: number; removed: number } {
  const sum = (of: (hunk: Hunk) => LineRange): number => hunks.reduce((total, hunk) => total + of(hunk).end - of(hunk).start, 0);
  return { added: sum((hunk) => hunk.newRange), removed: sum((hunk) => hunk.oldRange) };
}

/** The counts as they are written everywhere: `+12 −4`. */
export function countsText(hunks: Hunk[]): string {
  const { added, removed } = counts(hunks);
  return [added ? `+${added}` : '', removed ? `−${removed}` : ''].filter(Boolean).join(' ') || '±0';
}

/** How many of something, in words: both forms are given, since languages differ in them. */
export function amount(count: number, one: string, many: string): string {
  return count === 1 ? one : many.replace('{0}', String(count));
}

/** `1 file`, `3 files`. */
export function filesText(count: number): string {
  return amount(count, vscode.l10n.t('1 file'), vscode.l10n.t('{0} files'));
}

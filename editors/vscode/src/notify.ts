// Says that something waits or was done, to a person who looks elsewhere; at most one message for each session at a time.

import * as vscode from 'vscode';
import type { Connection } from './client';
import type { Session } from './protocol';
import type { Review } from './review/hunks';
import type { Sessions } from './session';
import { warn } from './warn';

/** A turn that took less is not worth a message, in seconds. */
const LONG_TURN = 30;
/** A message that nobody answered holds back later ones of its session for as long, in milliseconds. */
const HOLD_MS = 30_000;

/** Shows messages about sessions of this window. `isSeen` says whether the panel is in sight. */
export class Notifier implements vscode.Disposable {
  readonly #shown = new Set<string>();
  readonly #told = new Map<string, string>();
  readonly #subscriptions: vscode.Disposable[];

  constructor(
    connection: Connection,
    private readonly sessions: Sessions,
    private readonly review: Review,
    private readonly isSeen: () => boolean,
  ) {
    this.#subscriptions = [
      connection.onNotification('session/changed', ({ session }) => this.#waits(session)),
      connection.onNotification('daemon/notice', ({ text }) => connection.log.info(text)),
      sessions.onTurnEnd(({ session, seconds }) => {
        if (seconds > LONG_TURN && this.#wish() === 'done') this.#say(session, vscode.l10n.t('“{0}” has come to its end.', session.title));
      }),
    ];
  }

  dispose(): void {
    vscode.Disposable.from(...this.#subscriptions).dispose();
  }

  #wish(): string {
    return vscode.workspace.getConfiguration('pilotfish').get('notify', 'done');
  }

  /** A session of this window's folders that begins to wait is told of once. */
  #waits(session: Session): void {
    const before = this.#told.get(session.id);
    this.#told.set(session.id, session.status.text);
    if (session.status.state !== 'waiting') this.#shown.delete(session.id);
    if (session.status.state !== 'waiting' || before === session.status.text || this.#wish() === 'off') return;
    if (!this.sessions.roots().includes(session.workspace)) return;
    this.#say(session, `“${session.title}”: ${session.status.text}`);
  }

  #say(session: Session, text: string): void {
    const isSeen = vscode.window.state.focused && this.isSeen() && session.id === this.sessions.current?.id;
    if (isSeen || this.#shown.has(session.id)) return;
    this.#shown.add(session.id);
    setTimeout(() => this.#shown.delete(session.id), HOLD_MS);
    this.#ask(session, text).catch(warn);
  }

  async #ask(session: Session, text: string): Promise<void> {
    const show = vscode.l10n.t('Show');
    const review = vscode.l10n.t('Review');
    const buttons = this.review.summary().hunks > 0 && session.status.state !== 'waiting' ? [show, review] : [show];
    const answer = await vscode.window.showInformationMessage(text, ...buttons);
    this.#shown.delete(session.id);
    if (answer === review) await vscode.commands.executeCommand('pilotfish.reviewAll');
    if (answer !== show) return;
    if (session.id !== this.sessions.current?.id) await this.sessions.select(session.id);
    await vscode.commands.executeCommand(session.status.state === 'waiting' ? 'pilotfish.focusApproval' : 'pilotfish.openChat');
  }
}

// The status bar's item: the mode, what the session does, and how long already. It also tells the editor's menus of it.

import * as vscode from 'vscode';
import type { Connection } from './client';
import type { SessionInfo, Sessions } from './session';

/** States in which something runs that can be stopped. */
const BUSY = ['thinking', 'running', 'waiting', 'stopping'];

/** Keeps the item and the context keys. */
export class StatusItem implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('pilotfish.status', vscode.StatusBarAlignment.Left, 1);
  readonly #subscriptions: vscode.Disposable[];
  #clock: NodeJS.Timeout | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly sessions: Sessions,
  ) {
    this.#item.name = 'pilotfish';
    this.#subscriptions = [this.#item, connection.onState(() => this.#draw()), sessions.onChange(() => this.#draw())];
    this.#draw();
  }

  dispose(): void {
    clearInterval(this.#clock);
    vscode.Disposable.from(...this.#subscriptions).dispose();
  }

  #draw(): void {
    const { state, reason } = this.connection;
    const session = state === 'ready' ? this.sessions.current : undefined;
    const isBusy = session !== undefined && BUSY.includes(session.status.state);
    const set = (key: string, value: unknown): void => void vscode.commands.executeCommand('setContext', `pilotfish.${key}`, value);
    set('state', state === 'stopped' && !reason ? 'off' : state);
    set('running', isBusy);
    set('hasSession', session !== undefined);
    set('mode', session?.mode);
    set('hasModel', session?.model !== undefined);
    clearInterval(this.#clock);
    if (isBusy && session.turnBeganAt) this.#clock = setInterval(() => this.#write(session), 1000);
    if (session) this.#write(session);
    else this.#writeConnection();
  }

  #write(session: SessionInfo): void {
    const isAgent = session.mode === 'agent';
    const time = session.turnId && session.turnBeganAt ? clock(Date.now() - session.turnBeganAt) : '';
    const doing = session.status.state === 'idle' ? '' : session.status.text;
    this.#item.text = [`$(${isAgent ? 'unlock' : 'shield'}) ${session.mode}`, [doing, time].filter(Boolean).join(' ')].filter(Boolean).join(' · ');
    const waits = session.waiting > 0;
    this.#item.backgroundColor = waits ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    this.#item.command = waits ? 'pilotfish.focusApproval' : 'pilotfish.toggleMode';
    const mode = isAgent
      ? vscode.l10n.t('Agent: it may change files of this folder and run confined commands. It asks for the rest.')
      : vscode.l10n.t('Read-only: it can read and answer. Nothing is changed.');
    this.#item.tooltip = `${session.title}\n${mode}\n${waits ? vscode.l10n.t('Click to see what waits for you.') : vscode.l10n.t('Click to switch the mode.')}`;
    this.#item.accessibilityInformation = { label: [`pilotfish: ${session.mode}`, doing].filter(Boolean).join(', ') };
    this.#item.show();
  }

  #writeConnection(): void {
    const { state, reason } = this.connection;
    this.#item.backgroundColor = reason ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    this.#item.text = reason ? `$(warning) pilotfish · ${vscode.l10n.t('disconnected')}` : state === 'starting' ? `$(sync~spin) pilotfish · ${vscode.l10n.t('starting')}` : '$(shield) pilotfish';
    this.#item.tooltip = reason ?? vscode.l10n.t('Open the chat');
    this.#item.command = reason ? 'pilotfish.mend' : 'pilotfish.openChat';
    this.#item.accessibilityInformation = { label: `pilotfish: ${reason ?? state}` };
    this.#item.show();
  }
}

/** Minutes and seconds: `2:14`. */
function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

// Switching between read-only and agent mode: one deliberate choice that says what it means.

import * as vscode from 'vscode';
import type { Connection } from './client';
import type { Mode } from './protocol';
import type { Sessions } from './session';

/** Asks for the mode of the session that is shown, and sets it. */
export async function toggleMode(connection: Connection, sessions: Sessions): Promise<void> {
  if (sessions.current?.mode === 'agent') return toReadOnly(connection, sessions);
  if (!vscode.workspace.isTrusted) return refuseUntrusted();
  const { capabilities } = await connection.request('daemon/status', {});
  const unsafe = capabilities.find((capability) => !capability.enforced);
  const agent = vscode.l10n.t('Switch to agent');
  const remember = vscode.l10n.t('Switch to agent, also for new sessions in this workspace');
  const folder = sessions.current?.workspace ?? sessions.root() ?? '';
  const rows: vscode.QuickPickItem[] = [
    { label: `$(unlock) ${agent}`, detail: vscode.l10n.t('It may change files in {0} and run commands that are confined to it, without the network. It asks for the rest.', folder) },
    { label: `$(unlock) ${remember}`, detail: unsafe && vscode.l10n.t('Not enforced on this machine: {0} ({1})', unsafe.name, unsafe.reason ?? '') },
    { label: `$(shield) ${vscode.l10n.t('Stay read-only')}`, detail: vscode.l10n.t('It can read and answer. Nothing is changed: changes are proposed.') },
  ];
  const picked = await vscode.window.showQuickPick(rows, { title: vscode.l10n.t('What may pilotfish do in this session?') });
  if (!picked || picked === rows[2]) return;
  await sessions.setMode('agent');
  if (picked === rows[1]) await rememberMode('agent');
}

/** Remembers the mode of new sessions for this workspace. */
export async function rememberMode(mode: Mode): Promise<void> {
  await vscode.workspace.getConfiguration('pilotfish').update('mode', mode, vscode.ConfigurationTarget.Workspace);
}

/** At once; what runs already is asked about afterwards. */
async function toReadOnly(connection: Connection, sessions: Sessions): Promise<void> {
  const session = sessions.current;
  await sessions.setMode('read-only');
  if (!session || session.status.state !== 'running') return;
  const stop = vscode.l10n.t('Stop the command');
  const answer = await vscode.window.showInformationMessage(vscode.l10n.t('Read-only from the next action on. A command still runs: {0}', session.status.text), stop);
  if (answer === stop) await connection.request('session/interrupt', { sessionId: session.id, scope: 'command' });
}

async function refuseUntrusted(): Promise<void> {
  const manage = vscode.l10n.t('Manage trust');
  const text = vscode.l10n.t('This folder is not trusted in the editor: pilotfish is read-only here.');
  if ((await vscode.window.showWarningMessage(text, manage)) === manage) await vscode.commands.executeCommand('workbench.trust.manage');
}

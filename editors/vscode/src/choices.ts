// Commands that are lists to choose from: models, remembered answers, commands in the background, points to go back to, trust.

import * as vscode from 'vscode';
import type { Connection } from './client';
import type { Checkpoint, Item, Rule } from './protocol';
import type { Sessions } from './session';

/** How far back a prompt is looked for, in pages of the transcript. */
const MAX_PAGES = 20;

/** The turn before which something was; `uri` is of a file that it changed. */
export interface Turn {
  sessionId: string;
  turnId: string;
  uri?: string;
}

/** A row of a list that stands for a thing. */
type Choice<T> = vscode.QuickPickItem & { value: T };

/** Chooses the model that answers from the next turn on, and how hard it thinks. */
export async function selectModel(connection: Connection, sessions: Sessions): Promise<void> {
  const { models, problem } = await connection.request('model/list', {});
  if (models.length === 0) return connectModel(problem);
  const current = sessions.current?.model;
  const rows = models.map((model): Choice<(typeof models)[number]> => ({
    label: model.name,
    description: [model.name === current ? vscode.l10n.t('in use') : '', model.default ? vscode.l10n.t('default') : ''].filter(Boolean).join(', '),
    detail: model.context ? vscode.l10n.t('{0} k tokens of context', Math.round(model.context / 1000)) : undefined,
    value: model,
  }));
  const model = await choose(rows, vscode.l10n.t('Which model answers, from the next turn on?'));
  if (!model) return;
  const efforts = model.efforts.map((effort): Choice<typeof effort> => ({ label: effort, value: effort }));
  const effort = efforts.length > 0 ? await choose(efforts, vscode.l10n.t('How hard does it think?')) : undefined;
  if (efforts.length > 0 && !effort) return;
  const session = await sessions.ensure();
  await connection.request('session/setModel', { sessionId: session.id, model: model.name, effort });
}

/** Says how a model is connected, and where the configuration is. */
export async function connectModel(problem?: string): Promise<void> {
  const open = vscode.l10n.t('Open configuration');
  const login = vscode.l10n.t('Store a key…');
  const text = problem ?? vscode.l10n.t('A model is connected by OPENAI_API_KEY or ANTHROPIC_API_KEY in the environment, by a model server on this machine, or in config.toml.');
  const answer = await vscode.window.showInformationMessage(text, open, login);
  if (answer === login) {
    const terminal = vscode.window.createTerminal('pilotfish login');
    terminal.show();
    terminal.sendText('pilotfish login ', false);
  }
  if (answer === open) await openConfiguration();
}

/** Lists what is remembered of answers; a row's button forgets it. */
export async function rules(connection: Connection, sessions: Sessions): Promise<void> {
  const { rules } = await connection.request('rule/list', { workspace: shownRoot(sessions) });
  const remove: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('trash'), tooltip: vscode.l10n.t('Forget it: it is asked again at once') };
  const pick = vscode.window.createQuickPick<Choice<Rule>>();
  pick.placeholder = rules.length > 0 ? vscode.l10n.t('Runs without a question. The bin forgets it.') : vscode.l10n.t('Nothing is remembered here.');
  pick.items = rules.map((rule) => ({ ...ruleRow(rule), value: rule, buttons: [remove] }));
  pick.onDidTriggerItemButton(async ({ item }) => {
    if (item.value.id) await connection.request('rule/revoke', { ruleId: item.value.id });
    pick.items = pick.items.filter((row) => row !== item);
  });
  pick.onDidAccept(async () => {
    const file = pick.selectedItems[0]?.value.file;
    pick.hide();
    if (file) await vscode.window.showTextDocument(vscode.Uri.file(file));
  });
  pick.onDidHide(() => pick.dispose());
  pick.show();
}

function ruleRow(rule: Rule): vscode.QuickPickItem {
  const scope = rule.scope === 'everywhere' ? vscode.l10n.t('everywhere') : vscode.l10n.t('this project');
  const used = rule.usedAt ? vscode.l10n.t('used {0} times, last {1}', rule.hits, new Date(rule.usedAt).toLocaleString()) : vscode.l10n.t('never used');
  return {
    label: `${rule.argv.join(' ')}${rule.prefix ? ' …' : ''}`,
    description: [scope, ...rule.grants].join(' · '),
    detail: [rule.file, used].filter(Boolean).join(' · '),
  };
}

/** Lists the commands in the background of the session that is shown; choosing one stops it. */
export async function backgroundCommands(connection: Connection, sessions: Sessions): Promise<void> {
  const session = sessions.current;
  if (!session) return;
  const { commands } = await connection.request('command/list', { sessionId: session.id });
  const rows = commands.map((command): Choice<typeof command> => ({
    label: `${command.exitCode === undefined ? '$(sync)' : '$(circle-slash)'} ${command.command}`,
    description: command.exitCode === undefined ? vscode.l10n.t('runs since {0}', new Date(command.startedAt).toLocaleTimeString()) : vscode.l10n.t('ended with {0}', command.exitCode),
    value: command,
  }));
  const chosen = await choose(rows, rows.length > 0 ? vscode.l10n.t('Choose a command to stop it') : vscode.l10n.t('No command runs in the background.'));
  if (chosen && chosen.exitCode === undefined) await connection.request('command/stop', { sessionId: session.id, commandId: chosen.id });
}

/** Takes the files back to before a turn: lists first what would change, and can be undone. The point before `turn` stands first. */
export async function restore(connection: Connection, sessions: Sessions, turn?: Turn): Promise<void> {
  const workspace = turn?.uri ? sessions.root(vscode.Uri.parse(turn.uri)) : shownRoot(sessions);
  if (!workspace) return;
  const { checkpoints } = await connection.request('checkpoint/list', { workspace });
  const prompt = turn?.turnId ? await promptOf(connection, turn) : undefined;
  const meant = prompt && pointBefore(prompt, checkpoints);
  const points = meant ? [meant, ...checkpoints.filter((point) => point !== meant)] : checkpoints;
  const rows = points.map((point): Choice<string> => ({
    label: point.title,
    description: new Date(point.at).toLocaleString(),
    detail: point === meant ? vscode.l10n.t('Before the message you chose') : undefined,
    value: point.id,
  }));
  const question = prompt && !meant ? vscode.l10n.t('There is no point before this message. Take the files back to which other one?') : vscode.l10n.t('Take the files back to which point?');
  const id = await choose(rows, rows.length > 0 ? question : vscode.l10n.t('There is no point to go back to yet.'));
  if (id) await restoreTo(connection, workspace, id);
}

/** What the person asked for at the beginning of a turn. */
async function promptOf(connection: Connection, { sessionId, turnId }: Turn): Promise<Item | undefined> {
  let before: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const found = await connection.request('session/items', { sessionId, limit: 200, before });
    const prompt = found.items.find((item) => item.turnId === turnId && item.content.kind === 'userMessage');
    if (prompt || !found.before) return prompt;
    before = found.before;
  }
  return undefined;
}

/** The point that was made for a prompt: it bears its first line, and is the first to do so after it. */
function pointBefore(prompt: Item, checkpoints: Checkpoint[]): Checkpoint | undefined {
  if (prompt.content.kind !== 'userMessage') return undefined;
  const text = prompt.content.input.map((part) => (part.type === 'text' ? part.text : '')).join('\n').trim();
  const isOfIt = ({ at, title }: Checkpoint): boolean => {
    const words = title.replace(/^before: /, '').replace(/…$/, '');
    return words !== '' && text.startsWith(words) && Date.parse(at) >= Date.parse(prompt.at);
  };
  return checkpoints.findLast(isOfIt);
}

async function restoreTo(connection: Connection, workspace: string, id: string): Promise<void> {
  const { changes } = await connection.request('checkpoint/restore', { id, dryRun: true });
  if (changes.length === 0) return void vscode.window.showInformationMessage(vscode.l10n.t('The files are as they were then.'));
  const detail = changes.map(({ uri, change }) => `${vscode.workspace.asRelativePath(vscode.Uri.parse(uri))}: ${change}`).join('\n');
  const action = vscode.l10n.t('Restore {0} files', changes.length);
  const question = vscode.l10n.t('Take these files back? That can be undone.');
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, action)) !== action) return;
  const { checkpointId } = await connection.request('checkpoint/restore', { id });
  const undo = vscode.l10n.t('Undo');
  const text = vscode.l10n.t('{0} files were taken back.', changes.length);
  if (checkpointId && (await vscode.window.showInformationMessage(text, undo)) === undo) await connection.request('checkpoint/restore', { id: checkpointId });
}

/** Shows what the folder ships for agents, and asks whether it takes effect. */
export async function trust(connection: Connection, sessions: Sessions): Promise<void> {
  const workspace = shownRoot(sessions);
  if (!workspace) return;
  const { ships, trust } = await connection.request('trust/get', { workspace });
  const rows: Choice<'trusted' | 'refused' | 'unknown' | string>[] = [
    { label: `$(workspace-trusted) ${vscode.l10n.t('Trust it as it is now')}`, description: trust === 'trusted' ? vscode.l10n.t('so it is') : '', value: 'trusted' },
    { label: `$(workspace-untrusted) ${vscode.l10n.t('Refuse it: sessions here are read-only')}`, description: trust === 'refused' ? vscode.l10n.t('so it is') : '', value: 'refused' },
    ...ships.map(({ path, counts }) => ({ label: `$(file) ${path}`, description: counts ? vscode.l10n.t('takes effect') : vscode.l10n.t('has no effect; choose to read it'), value: path })),
  ];
  const chosen = await choose(rows, ships.length > 0 ? vscode.l10n.t('What this folder ships takes effect only where you trust it.') : vscode.l10n.t('This folder ships nothing that needs trust.'));
  if (chosen === 'trusted' || chosen === 'refused') await connection.request('trust/set', { workspace, trust: chosen });
  else if (chosen) await vscode.window.showTextDocument(vscode.Uri.joinPath(vscode.Uri.file(workspace), chosen));
}

/** Says how the program is installed. */
export async function install(): Promise<void> {
  const path = vscode.l10n.t('Choose the program…');
  const copy = vscode.l10n.t('Copy the command');
  const text = vscode.l10n.t('pilotfish is a program of its own. From a clone of its repository, with Rust: cargo install --locked --path daemon');
  const answer = await vscode.window.showInformationMessage(text, copy, path);
  if (answer === copy) await vscode.env.clipboard.writeText('cargo install --locked --path daemon');
  if (answer === path) await vscode.commands.executeCommand('workbench.action.openSettings', 'pilotfish.path');
}

/** The folder of the session that is shown, whatever file is active. */
function shownRoot(sessions: Sessions): string | undefined {
  return sessions.current?.workspace ?? sessions.root();
}

async function choose<T>(rows: Choice<T>[], placeHolder: string): Promise<T | undefined> {
  return (await vscode.window.showQuickPick(rows, { placeHolder, matchOnDescription: true }))?.value;
}

async function openConfiguration(): Promise<void> {
  const home = process.env['PILOTFISH_HOME'];
  const folder = home ?? `${process.env['XDG_CONFIG_HOME'] ?? `${process.env['HOME'] ?? ''}/.config`}/pilotfish`;
  const uri = vscode.Uri.joinPath(vscode.Uri.file(folder), 'config.toml');
  try {
    await vscode.workspace.fs.stat(uri);
  } catch {
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode('# pilotfish: see its README for what can stand here.\n'));
  }
  await vscode.window.showTextDocument(uri);
}

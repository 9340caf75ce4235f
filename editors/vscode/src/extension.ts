// Wires the parts together. It owns nothing else.

import * as vscode from 'vscode';
import * as choices from './choices';
import { Connection, Refusal } from './client';
import { Edits } from './edits';
import { toggleMode } from './mode';
import { Notifier } from './notify';
import { Panel } from './panel';
import { report } from './report';
import { ShownTexts } from './review/base';
import { Drawing } from './review/draw';
import { gutter } from './review/gutter';
import { Review } from './review/hunks';
import { Lenses } from './review/lenses';
import { Changes } from './review/tree';
import { type Group, Verbs } from './review/verbs';
import { Sessions } from './session';
import { SessionList } from './sessions';
import { StatusItem } from './status';
import { warn } from './warn';

type Commands = Record<string, (...values: never[]) => Promise<unknown>>;

/** Called by the editor when the extension is first needed. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('pilotfish', { log: true });
  const edits = new Edits(log);
  const connection = new Connection(log, { workspace: { handleApplyEdit: ({ edit }) => edits.apply(edit) } });
  const sessions = new Sessions(connection, context.workspaceState);
  const review = new Review(connection, sessions);
  const verbs = new Verbs(connection, sessions, review);
  const changes = new Changes(connection, sessions, review);
  const list = new SessionList(connection, sessions);
  const panel = new Panel(context, connection, sessions, review);
  context.subscriptions.push(
    log,
    edits,
    connection,
    sessions,
    review,
    verbs,
    changes,
    list,
    new ShownTexts(connection, review),
    new Drawing(review),
    new Lenses(review),
    gutter(review),
    new StatusItem(connection, sessions),
    new Notifier(connection, sessions, review, () => panel.isVisible),
    report(connection),
    vscode.window.registerWebviewViewProvider('pilotfish.chat', panel),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void connection.restart()),
    ...register({ ...verbs.commands(), ...list.commands() }),
    ...register(ownCommands(connection, sessions, list, panel, changes)),
  );
  // Nothing is started for a folder in which nobody ever asked anything.
  if (sessions.wasUsed) void connection.start();
}

function ownCommands(connection: Connection, sessions: Sessions, list: SessionList, panel: Panel, changes: Changes): Commands {
  const interrupt = async (scope: 'turn' | 'command'): Promise<void> => {
    if (sessions.current) await connection.request('session/interrupt', { sessionId: sessions.current.id, scope });
  };
  return {
    openChat: () => panel.focus('composer'),
    focusApproval: () => panel.focus('approval'),
    focusLastMessage: () => panel.focus('lastMessage'),
    addSelection: () => addSelection(panel),
    addFile: (uri?: vscode.Uri) => addFile(panel, uri),
    toggleMode: () => toggleMode(connection, sessions),
    stop: () => interrupt('turn'),
    stopCommand: () => interrupt('command'),
    compact: async () => sessions.current && connection.request('session/compact', { sessionId: sessions.current.id }),
    selectModel: () => choices.selectModel(connection, sessions),
    connectModel: () => choices.connectModel(),
    rules: () => choices.rules(connection, sessions),
    commands: () => choices.backgroundCommands(connection, sessions),
    restore: (target?: choices.Turn | Group) => choices.restore(connection, sessions, target && 'hunks' in target ? target.hunks[0] : target),
    trust: async () => {
      await choices.trust(connection, sessions);
      await changes.askTrust();
    },
    install: () => choices.install(),
    mend: () => mend(connection),
    restart: () => connection.restart(),
    showLog: async () => connection.log.show(),
    walkthrough: async () => vscode.commands.executeCommand('workbench.action.openWalkthrough', 'pilotfish.pilotfish#start'),
    moreSessions: () => list.more(),
  };
}

/** Registers commands. What the daemon refuses is shown once, in its own words. */
function register(commands: Commands): vscode.Disposable[] {
  return Object.entries(commands).map(([name, run]) =>
    vscode.commands.registerCommand(`pilotfish.${name}`, async (...values: never[]) => {
      try {
        await run(...values);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        warn(error);
      }
    }),
  );
}

async function addSelection(panel: Panel): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor) await panel.add(editor.document.uri, editor.selection);
}

async function addFile(panel: Panel, uri = vscode.window.activeTextEditor?.document.uri): Promise<void> {
  if (uri?.scheme === 'file') await panel.add(uri);
}

/** Says what is wrong with the connection, and offers what mends it. */
async function mend(connection: Connection): Promise<void> {
  const [restart, install, log] = [vscode.l10n.t('Restart'), vscode.l10n.t('Install…'), vscode.l10n.t('Show log')];
  const answer = await vscode.window.showErrorMessage(connection.reason ?? vscode.l10n.t('pilotfish does not run'), restart, install, log);
  if (answer === restart) await connection.restart();
  if (answer === install) await choices.install();
  if (answer === log) connection.log.show();
}

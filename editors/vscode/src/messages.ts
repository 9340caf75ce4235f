// What the extension host and the side panel say to each other. The panel speaks the daemon's protocol through `request`; everything else
// here is what only an editor knows. The lists at the end are what a panel may ask for: a page that shows a model's words is not trusted
// with more.

import type { HunkState, InputPart, Mode, Range } from './protocol';

/** A piece of context above the composer. */
export interface Chip {
  /** The same chip has the same id, so that switching one off outlives its next appearance. */
  id: string;
  label: string;
  /** The name of a codicon. */
  icon: string;
  part: InputPart;
  /** It is only offered: the person has to switch it on. */
  off?: boolean;
}

/** A file whose changes wait for review, as the working set and the cards of proposals show it. */
export interface ReviewFile {
  uri: string;
  path: string;
  added: number;
  removed: number;
  hunks: { id: string; state: HunkState; turnId: string }[];
}

/** Where the focus goes; only ever because the person asked for it. */
export type FocusTarget = 'composer' | 'approval' | 'lastMessage' | 'header';

/** The connection to the daemon. `reason` is for people and comes with `stopped`. */
export interface ConnectionMessage {
  type: 'connection';
  state: 'starting' | 'ready' | 'stopped';
  reason?: string;
}

/** The session the panel shows. Without `id` there is none yet: the first prompt opens one. */
export interface SessionMessage {
  type: 'session';
  id?: string;
  /** The absolute path of the folder; absent when no folder is open. */
  workspace?: string;
  /** All folders of the window, for choosing. */
  roots: { name: string; path: string }[];
  /** Whether VS Code trusts the window's folders. Without it sessions are read-only. */
  trusted: boolean;
  /** The mode a session opened by the first prompt will have. */
  mode: Mode;
}

/** From the host to the panel. */
export type HostMessage =
  | { type: 'init'; strings: Record<string, string>; settings: PanelSettings }
  | ConnectionMessage
  | SessionMessage
  | { type: 'response'; id: number; result?: unknown; error?: { message: string; kind?: string } }
  | { type: 'notification'; method: string; params: unknown }
  | { type: 'chips'; chips: Chip[] }
  | { type: 'attach'; chips: Chip[] }
  | { type: 'insert'; text: string; submit?: boolean }
  | { type: 'hunks'; files: ReviewFile[] }
  | { type: 'focus'; target: FocusTarget };


/** What of the settings concerns the panel. */
export interface PanelSettings {
  /** The language of the workbench, such as `en`. */
  language: string;
  /** Whether the workbench runs on macOS, where Cmd stands for Ctrl. */
  mac: boolean;
}

/** From the panel to the host. */
export type PanelMessage =
  | { type: 'ready' }
  | { type: 'request'; id: number; method: string; params: unknown }
  /** Sends a prompt; the host opens a session first when there is none. Answered as a request is. */
  | { type: 'prompt'; id: number; input: InputPart[]; delivery: 'queue' | 'steer' }
  | { type: 'command'; command: string; arguments: unknown[] }
  /** Shows a file of the workspace; `path` is from its root, and `line` counts from 1. */
  | { type: 'open'; uri?: string; path?: string; line?: number; range?: Range }
  | { type: 'output'; sessionId: string; itemId?: string; commandId?: string; title: string }
  | { type: 'link'; href: string }
  | { type: 'remember'; mode: Mode }
  /** Chooses the mode or the folder of the session that the first prompt will open. */
  | { type: 'choose'; mode?: Mode; workspace?: string }
  /** Tells of something that failed, in the workbench's way. */
  | { type: 'failed'; message: string };

/** The methods of the daemon that the panel may call. */
export const PANEL_METHODS: ReadonlySet<string> = new Set([
  'session/attach', 'session/items', 'session/output', 'session/unqueue', 'session/requeue', 'session/interrupt', 'session/setMode',
  'session/draft', 'session/complete', 'session/compact', 'model/list', 'file/search',
  'approval/answer', 'question/answer', 'rule/preview', 'rule/revoke', 'review/keep', 'review/unkeep', 'review/accept', 'review/reject',
  'command/stop',
]);

/** The commands of the workbench that the panel may run. */
export const PANEL_COMMANDS: ReadonlySet<string> = new Set([
  'pilotfish.renameSession', 'pilotfish.sessions.focus', 'pilotfish.selectModel', 'pilotfish.connectModel', 'pilotfish.rules',
  'pilotfish.restart', 'pilotfish.showLog', 'pilotfish.install', 'pilotfish.reviewAll', 'pilotfish.reviewFile', 'pilotfish.keepAll',
  'pilotfish.undoAll', 'pilotfish.showProposal', 'pilotfish.restore', 'workbench.trust.manage',
]);

// What the panel knows of the session it shows, but for the transcript: a snapshot, and the updates folded into it. Pure.

import type { Approval, Attached, CommandInfo, ContextUse, Item, Plan, Queued, Session, SessionUpdate, Update, Usage } from '../src/protocol';

/** The state of a session. Parts that did not change keep their identity, so a view compares before it draws. */
export interface SessionState {
  session: Session;
  /** The last durable update it contains. */
  seq: number;
  turnId?: string;
  /** When the running turn began, in milliseconds, as far as that is known. */
  turnStartedAt?: number;
  approvals: Approval[];
  /** Open questions of the model. */
  questions: Item[];
  draft: string;
  queue: Queued[];
  plan: Plan;
  usage: Usage;
  context: ContextUse;
  commands: CommandInfo[];
}

/** The state that the answer of `session/attach` says. */
export function attached(answer: Attached): SessionState {
  const { session, seq, turnId, openItems, approvals, draft, queue, plan, usage, context, commands } = answer;
  const started = openItems.filter((item) => item.turnId === turnId).map((item) => Date.parse(item.at));
  return {
    session,
    seq,
    turnId,
    turnStartedAt: turnId && started.length ? Math.min(...started) : undefined,
    approvals,
    questions: openItems.filter((item) => item.content.kind === 'question'),
    draft,
    queue,
    plan,
    usage,
    context: context ?? { instructions: 0, history: 0, toolOutput: 0, files: 0 },
    commands: commands ?? [],
  };
}

/** Where an update stands in the order: to fold, known already, or after one that never came. */
export function order(state: SessionState, { seq }: SessionUpdate): 'next' | 'known' | 'gap' {
  if (seq === undefined || seq === state.seq + 1) return 'next';
  return seq <= state.seq ? 'known' : 'gap';
}

/** The state after an update. */
export function fold(state: SessionState, { seq, update }: SessionUpdate): SessionState {
  const next = { ...state, ...change(state, update) };
  if (seq !== undefined) next.seq = seq;
  return next;
}

function change(state: SessionState, update: Update): Partial<SessionState> {
  const { session } = state;
  switch (update.kind) {
    case 'turnStarted':
      return { turnId: update.turnId, turnStartedAt: Date.parse(update.at) };
    case 'turnEnded':
      // The session's new status comes with `session/changed`; what waited waits no more.
      return { turnId: undefined, turnStartedAt: undefined, approvals: [], questions: [] };
    case 'modeChanged':
      return { session: { ...session, mode: update.mode } };
    case 'modelChanged':
      return { session: { ...session, model: update.model, effort: update.effort } };
    case 'titleChanged':
      return { session: { ...session, title: update.title } };
    case 'statusChanged':
      return { session: { ...session, status: update.status } };
    case 'queueChanged':
      return { queue: update.queue };
    case 'draftChanged':
      return { draft: update.text };
    case 'usage':
      return { usage: update.usage, context: update.context ?? state.context };
    case 'planChanged':
      return { plan: update.plan };
    case 'commandChanged':
      return { commands: replaced(state.commands, update.command) };
    case 'approvalOpened':
      return { approvals: replaced(state.approvals, update.approval) };
    case 'approvalClosed':
      return { approvals: state.approvals.filter((approval) => approval.id !== update.approvalId) };
    case 'itemStarted':
    case 'itemChanged':
      return update.item.content.kind === 'question' ? { questions: replaced(state.questions, update.item) } : {};
    case 'itemEnded':
      return update.item.content.kind === 'question' ? { questions: state.questions.filter((item) => item.id !== update.item.id) } : {};
    default:
      // Items are the transcript's; a kind nobody knows comes from a newer daemon.
      return {};
  }
}

function replaced<T extends { id: string }>(all: T[], one: T): T[] {
  return all.some((other) => other.id === one.id) ? all.map((other) => (other.id === one.id ? one : other)) : [...all, one];
}

/** Whether a turn runs. */
export function isRunning(state: SessionState | undefined): boolean {
  return state !== undefined && ['thinking', 'running', 'waiting', 'stopping'].includes(state.session.status.state);
}

/** Questions that one answer fits: what is asked and what a yes gives are the same but for the words of the command. */
export function alike(approvals: Approval[]): Approval[] {
  const [first] = approvals;
  if (!first) return [];
  // Changes of files are looked at one by one.
  const fact = ({ title, grants, detail, cwd }: Approval) => JSON.stringify([title, grants, detail, cwd]);
  const edits = first.edits?.length ? 1 : 0;
  return approvals.filter((one) => one.id === first.id || (fact(one) === fact(first) && !edits && !one.edits?.length));
}

// Made from the protocol's types by its tests; do not edit.

/** Which one this is. */
export const PROTOCOL = 1;

/** The model's words, in Markdown. */
export interface AgentMessage {
  /** Whether that is all. */
  completion: Completion;
  /** What it said so far. */
  text: string;
}

/** Answer of `approval/answer`. */
export interface Answered {
  /** The questions this answer closed. */
  closed: ApprovalId[];
}

/**
 * A question that waits for the person. Its words hold no control or invisible characters: those are shown as `\u{..}`, and a long run of
 * blanks as its count.
 */
export interface Approval {
  /** Whose answer it was. */
  by?: ConnectionId;
  /** Where it would happen, an absolute path. */
  cwd: string;
  /** The answer, once there is one. A question that ended without was never answered. */
  decision?: Decision;
  /** The exact command line, or what else it is about. */
  detail: string;
  /** What would change, when it is about files. */
  edits: Edit[];
  /** Whether something in it is shown escaped: then it looks other than it is, and a person should look twice. */
  escaped: boolean;
  /** What a yes gives: `host:NAME`, `path:/abs`, `protected:PATH` from the workspace's root, or `unconfined`. */
  grants: string[];
  /** Its id. */
  id: ApprovalId;
  /** The tool call that waits. */
  itemId: ItemId;
  /** What the person said to the model. */
  note?: string;
  /** Why it is asked. */
  reason: string;
  /** What *always* would save, unless the person says another; absent when no rule can stand for this. */
  rule?: Rule;
  /** What the command line runs, in order; empty when it is about no command. */
  segments: ApprovalSegment[];
  /** One line: what would happen. */
  title: string;
}

/** One question to the person. */
export type ApprovalId = string;

/** One thing that a command line runs. */
export interface ApprovalSegment {
  /** Whether it is what needs the answer; no rule stands for it. */
  asks: boolean;
  /** Its words. */
  text: string;
}

/** Answer of `session/attach`: the state at `seq`. The updates after it follow as notifications. */
export interface Attached {
  /** Questions that wait for an answer. */
  approvals: Approval[];
  /** Commands in the background. */
  commands: CommandInfo[];
  /** What the model's context is made of. */
  context: ContextUse;
  /** What somebody has typed and not sent. */
  draft: string;
  /** Items that have started and not ended, with their text so far. */
  openItems: Item[];
  /** The model's plan. */
  plan: Plan;
  /** Prompts that wait for the running turn. */
  queue: Queued[];
  /** The last durable update this snapshot contains; 0 for a session that has none. */
  seq: number;
  /** The session itself. */
  session: Session;
  /** The running turn. */
  turnId?: TurnId;
  /** Tokens so far. */
  usage: Usage;
}

/** Whom a notice is for. */
export type Audience = 'person' | 'model' | 'both';

/** Something that completes what is being typed. */
export interface Candidate {
  /** What to call instead of inserting anything. */
  call?: MethodCall;
  /** More words. */
  detail?: string;
  /** What to insert. */
  insert: string;
  /** What to show. */
  label: string;
}

/** Answer of `session/complete`. */
export interface CandidateList {
  /** The best first. */
  candidates: Candidate[];
}

/** One line of the matrix of what is enforced here. */
export interface Capability {
  /** Whether it is enforced here. */
  enforced: boolean;
  /** How to mend it, when a person can. */
  mend?: string;
  /** What, such as `commands are confined`. */
  name: string;
  /** Why not. */
  reason?: string;
}

/** A point the files can be taken back to. */
export interface Checkpoint {
  /** When it was made, RFC 3339. */
  at: string;
  /** Its id. */
  id: CheckpointId;
  /** What it comes before. */
  title: string;
}

/** A point the files can be taken back to. */
export type CheckpointId = string;

/** Answer of `checkpoint/list`. */
export interface CheckpointList {
  /** The latest first. */
  checkpoints: Checkpoint[];
}

/** A command that runs in the background. */
export type CommandId = string;

/** A command in the background. */
export interface CommandInfo {
  /** As it was called. */
  command: string;
  /** How it ended; absent while it runs. */
  exitCode?: number;
  /** Its id. */
  id: CommandId;
  /** How much it has said so far, in bytes. */
  outputBytes: number;
  /** Whose. */
  sessionId: SessionId;
  /** When it started, RFC 3339. */
  startedAt: string;
}

/** Answer of `command/list`. */
export interface CommandList {
  /** The oldest first. */
  commands: CommandInfo[];
}

/** Answer of `command/read`. */
export interface CommandOutput {
  /** How it ended; absent while it runs. */
  exitCode?: number;
  /** Where to read on, in bytes. */
  nextOffset: number;
  /** From `offset`. */
  text: string;
}

/** Older history was condensed here: from now on the model reads less of what lies before. The transcript keeps all of it. */
export interface Compaction {
  /** The first item that the model reads as it was; absent when that is the one after this. */
  firstKept?: ItemId;
  /** What the model reads in place of what was condensed; empty when outputs were masked. */
  text: string;
  /** About how many it holds now. */
  tokensAfter: number;
  /** About how many tokens the model's context held before. */
  tokensBefore: number;
  /** How. */
  way: CompactionWay;
}

/** How history was condensed. */
export type CompactionWay = 'masked' | 'summarized';

/** Whether a streamed item is whole. */
export type Completion = 'open' | 'whole' | 'interrupted' | 'broken';

/** One client's connection to the daemon. */
export type ConnectionId = string;

/** One part of a [`ContextReceipt`]. */
export interface ContextPart {
  /** How much was left out, in bytes. */
  leftOut?: number;
  /** Where it comes from. */
  source: ContextSource;
  /** What the model reads. May be cut, and then says so. */
  text: string;
  /** What it is called, for people, such as `src/AGENTS.md` or `src/watch.rs:3-9`. */
  title: string;
  /** The `file:` URI of what it was read from. */
  uri?: string;
}

/** What the model was given beside the person's words. Editors show it folded: what, how much, and on request the text. */
export interface ContextReceipt {
  /** In the order in which the model reads them. */
  parts: ContextPart[];
}

/** Where a part of the model's context comes from. */
export type ContextSource = 'instructions' | 'file' | 'diagnostics' | 'changes' | 'editor';

/** What a model's context is made of, in tokens, about. */
export interface ContextUse {
  /** What was attached, pictures among it. */
  files: number;
  /** What was said, and calls of tools. */
  history: number;
  /** Who the model is here, its tools, and what the person and the workspace say to all agents. */
  instructions: number;
  /** What tools answered. */
  toolOutput: number;
}

/** `daemon/notice`: a fact about the daemon, for people. */
export interface DaemonNotice {
  /** The words. */
  text: string;
}

/** Answer of `daemon/status`. */
export interface DaemonStatus {
  /** What is enforced on this machine. */
  capabilities: Capability[];
  /** The daemon's process id. */
  pid: number;
  /** The vocabulary's version. */
  protocol: number;
  /** Sessions held in memory. */
  sessions: number;
  /** When it started, RFC 3339. */
  startedAt: string;
  /** Turns that run. */
  turns: number;
  /** The program's version. */
  version: string;
}

/** An answer. */
export type Decision = { kind: 'once' } | { kind: 'session' } | { kind: 'always'; rule: Rule } | { kind: 'deny' };

/** What happens to a prompt that arrives while a turn runs. */
export type Delivery = 'queue' | 'steer';

/** A problem that an editor shows in a file. */
export interface Diagnostic {
  /** What its finder calls it, such as `E0308`. */
  code?: string;
  /** What, in words. */
  message: string;
  /** Where. */
  range: Range;
  /** How bad. */
  severity: Severity;
  /** Who found it, such as `rust-analyzer`. */
  source?: string;
}

/** Answer of a method that has nothing to say but that it was done. */
export type Done = Record<string, never>;

/** A change of one file. */
export interface Edit {
  /** Lines added. */
  added: number;
  /** The call that made it. */
  callId?: string;
  /** What happened to it. */
  change: EditKind;
  /** The changes, in the order of the text. Empty for a binary file. */
  hunks: Hunk[];
  /** Its path from the workspace's root, for people. */
  path: string;
  /** Lines removed. */
  removed: number;
  /** Whether that is in the text. */
  state: EditState;
  /** The file's `file:` URI. */
  uri: string;
}

/** What happened to the file. */
export type EditKind = { kind: 'created' } | { kind: 'changed' } | { kind: 'deleted' } | { from: string; kind: 'moved' };

/** Whether an edit is in the text. */
export type EditState = 'applied' | 'proposed' | 'conflict';

/** How hard a model is asked to think. */
export type Effort = 'minimal' | 'low' | 'medium' | 'high';

/** The `data` of an error of ours. */
export interface ErrorData {
  /** What kind. */
  kind: ErrorKind;
  /** When to try again, for `overloaded`. */
  retryAfterMs?: number;
}

/** What kind of error, in one word. */
export type ErrorKind = 'invalidParams' | 'notImplemented' | 'overloaded' | 'notFound' | 'refused' | 'alreadyAnswered' | 'wrongState' | 'noModel' | 'journal';

/** Something that failed. */
export interface Fault {
  /** What kind of thing. */
  fault: FaultKind;
  /** What was attempted, on what, and how to mend it. */
  message: string;
  /** Whether the same prompt may work later. */
  retryable: boolean;
}

/** What kind of thing failed. */
export type FaultKind = 'configuration' | 'endpoint' | 'stream' | 'contextFull' | 'limit' | 'journal' | 'internal';

/** What a restore does to one file. */
export interface FileChange {
  /** In words, such as `deleted` or `left: you changed it since`. */
  change: string;
  /** The file's `file:` URI. */
  uri: string;
}

/** One file that fits a query. */
export interface FileMatch {
  /** Its path from the workspace's root. */
  path: string;
  /** The file's `file:` URI. */
  uri: string;
}

/** Answer of `file/search`. */
export interface FileMatches {
  /** The best first. */
  files: FileMatch[];
}

/** A reviewable change of one file. */
export interface Hunk {
  /** Its id, which survives every edit outside it. */
  id: HunkId;
  /** What it does. */
  kind: HunkKind;
  /** Where its lines stand, or would stand. */
  newRange: LineRange;
  /** The lines after, with their line ends. */
  newText: string;
  /** Where its lines stood before. */
  oldRange: LineRange;
  /** The lines before, with their line ends. */
  oldText: string;
  /** Whose change it is. */
  sessionId: SessionId;
  /** What changed inside the lines. */
  spans: HunkSpan[];
  /** Whether it is in the text. */
  state: HunkState;
  /** The turn that made it. */
  turnId: TurnId;
  /** The file's `file:` URI. */
  uri: string;
  /** Lines inside it that the person wrote, from 0 in the new text. */
  userLines: number[];
  /** The version of the client's text that `newRange` speaks of; absent for a file no client has open. */
  version?: number;
}

/** A reviewable change. */
export type HunkId = string;

/** What a hunk does to the text. */
export type HunkKind = 'add' | 'change' | 'delete';

/** Answer of `review/list` and its verbs; `review/changed` carries it for one file. */
export interface HunkList {
  /** In the order of the text. */
  hunks: Hunk[];
  /** The file, when all are of one. */
  uri?: string;
  /** The version of that file's text. Drop the list when yours is newer. */
  version?: number;
}

/** A changed stretch inside a line, for drawing. */
export interface HunkSpan {
  /** The first UTF-16 column after. */
  end: number;
  /** The line in the new text, from 0. */
  line: number;
  /** The first UTF-16 column inside. */
  start: number;
}

/** Whether a hunk is in the text. */
export type HunkState = 'applied' | 'proposed' | 'conflict';

/** One part of a prompt. */
export type InputPart = { text: string; type: 'text' } | { type: 'file'; uri: string } | { range: Range; type: 'selection'; uri: string } | { data: string; mediaType: string; type: 'image' } | { type: 'diagnostics'; uri?: string } | { range: Range; type: 'symbol'; uri: string } | { type: 'changes' };

/** What an interrupt stops. */
export type InterruptScope = 'command' | 'turn';

/** One entry of a transcript. An item starts, may change, and ends; its last state is the one that counts. */
export interface Item {
  /** When it started, RFC 3339. */
  at: string;
  /** What it is. */
  content: ItemContent;
  /** Unique within its session; ids of one session sort in the order of their making. */
  id: ItemId;
  /** The turn it belongs to; absent for what happens between turns. */
  turnId?: TurnId;
}

/** What an item is. */
export type ItemContent = UserMessage & { kind: 'userMessage' } | AgentMessage & { kind: 'agentMessage' } | Reasoning & { kind: 'reasoning' } | ToolCall & { kind: 'toolCall' } | Edit & { kind: 'edit' } | Plan & { kind: 'plan' } | Approval & { kind: 'approval' } | Question & { kind: 'question' } | Edit & { kind: 'conflict' } | Fault & { kind: 'error' } | ContextReceipt & { kind: 'context' } | Compaction & { kind: 'compaction' } | Notice & { kind: 'notice' };

/** One entry of a transcript. */
export type ItemId = string;

/** Answer of `session/items`: a page of the transcript, oldest first. */
export interface ItemPage {
  /** Give it as `before` for the page before this one; absent at the beginning. */
  before?: ItemId;
  /** Ended items and, on the newest page, started ones. */
  items: Item[];
}

/** Lines, half-open and from 0. Empty (`start == end`) for a place between two lines. */
export interface LineRange {
  /** The first line after. */
  end: number;
  /** The first line inside. */
  start: number;
}

/** A method with its parameters, to be called as it is. */
export interface MethodCall {
  /** Its name. */
  method: string;
  /** Its parameters. */
  params: unknown;
}

/** What the agent may do. A mode is enforced by the tools, by policy and by the sandbox; it never rests on the prompt. */
export type Mode = 'read-only' | 'agent';

/** One model that can be used. */
export interface ModelInfo {
  /** Its context size in tokens, if known. */
  context?: number;
  /** Whether new sessions use it. */
  default: boolean;
  /** The efforts it takes; empty when unknown. */
  efforts: Effort[];
  /** Its name. */
  name: ModelName;
  /** What it costs, if known. */
  price?: Price;
}

/** Answer of `model/list`. */
export interface ModelList {
  /** In the order of the configuration. */
  models: ModelInfo[];
  /** What is missing, when there is none to use. */
  problem?: string;
}

/** `provider/model`, where the provider is a name from the configuration. */
export type ModelName = string;

/** A fact. */
export interface Notice {
  /** Whom they are for. */
  audience: Audience;
  /** The words. */
  text: string;
}

/** Answer of `session/output`: a slice of a tool's full output. */
export interface OutputPage {
  /** Where this page begins, in bytes. */
  offset: number;
  /** The text from `offset`, cut at a character boundary. */
  text: string;
  /** The whole output's size in bytes. */
  total: number;
}

/** A plan of several steps. */
export interface Plan {
  /** In order. */
  steps: PlanStep[];
}

/** One step of a plan. */
export interface PlanStep {
  /** How far it is. */
  status: StepStatus;
  /** What is to be done. */
  step: string;
}

/** A place in a text: line and UTF-16 column, both from 0, as in the language server protocol's default. */
export interface Position {
  /** From 0, in UTF-16 units. */
  character: number;
  /** From 0. */
  line: number;
}

/** What a model's tokens cost, in millionths of a US dollar for a million tokens. */
export interface Price {
  /** Read from the provider's cache. */
  cached: number;
  /** Read. */
  input: number;
  /** Written. */
  output: number;
}

/** Answer of `session/prompt`: exactly one field is present. */
export interface PromptTaken {
  /** The place in the queue. */
  queuedId?: QueuedId;
  /** The turn that started, or that the input steers. */
  turnId?: TurnId;
}

/** A question the model asks the person. */
export interface Question {
  /** What the person said. */
  answer?: string;
  /** Answers to pick from; any text may be given instead. */
  choices: string[];
  /** The question. */
  text: string;
}

/** A prompt that waits. */
export interface Queued {
  /** Its id, for `session/unqueue` and `session/requeue`. */
  id: QueuedId;
  /** What was typed. */
  input: InputPart[];
}

/** A prompt that waits for the running turn. */
export type QueuedId = string;

/** A half-open stretch of a text. */
export interface Range {
  /** The first place after. */
  end: Position;
  /** The first place inside. */
  start: Position;
}

/** The model's thoughts. */
export interface Reasoning {
  /** Whether that is all. */
  completion: Completion;
  /** The model it came from: only that one gets `opaque` back. */
  model?: ModelName;
  /** What its provider wants sent back unread, such as encrypted thoughts. */
  opaque?: unknown;
  /** The summary its provider shows; may be empty. */
  text: string;
}

/** Answer of `checkpoint/restore`. */
export interface Restored {
  /** What changed, or would. */
  changes: FileChange[];
  /** The checkpoint that takes this restore back; absent in a dry run. */
  checkpointId?: CheckpointId;
}

/** Answer of `review/base`. */
export interface ReviewBase {
  /** The text when the review of this file began. */
  text: string;
}

/** A remembered answer. */
export interface Rule {
  /** The words of the command, exactly; with `prefix` any words may follow. */
  argv: string[];
  /** The file it stands in; absent while it is only proposed. */
  file?: string;
  /** What it grants beyond the sandbox, such as `host:github.com`. */
  grants: string[];
  /** How often it answered. */
  hits: number;
  /** Its id; absent while it is only proposed. */
  id?: RuleId;
  /** Whether more words may follow. */
  prefix: boolean;
  /** Where it holds. */
  scope: Scope;
  /** When it last answered, RFC 3339. */
  usedAt?: string;
}

/** A remembered answer. */
export type RuleId = string;

/** Answer of `rule/list`. */
export interface RuleList {
  /** All that hold here. */
  rules: Rule[];
}

/** Answer of `rule/preview`: what saving a rule would mean. */
export interface RulePreview {
  /** What else would run. */
  alsoRuns: string[];
  /** The file it would go to. */
  file: string;
  /** The rule as it would be saved. */
  rule: Rule;
  /** What would still ask. */
  stillAsks: string[];
}

/** Where a rule holds. */
export type Scope = 'workspace' | 'everywhere';

/** One session, as lists show it. */
export interface Session {
  /** Hidden from the default list. */
  archived: boolean;
  /** When it was opened, RFC 3339. */
  createdAt: string;
  /** How hard the model is asked to think; absent for its usual. */
  effort?: Effort;
  /** Its id. */
  id: SessionId;
  /** What the agent may do. */
  mode: Mode;
  /** The model that answers; absent when none is configured. */
  model?: ModelName;
  /** The session this one was forked from. */
  parent?: SessionId;
  /** What it does now. */
  status: SessionStatus;
  /** A short title; the first prompt's first line until somebody renames it. */
  title: string;
  /** When its last durable update was journaled, RFC 3339. */
  updatedAt: string;
  /** The absolute path of the folder it works in. */
  workspace: string;
}

/** `session/changed`: a session of a list changed. */
export interface SessionChanged {
  /** As it is now. */
  session: Session;
}

/** A conversation with a workspace, a mode and a journal. */
export type SessionId = string;

/** Answer of `session/list`. */
export interface SessionList {
  /** Give it as `cursor` for the next page; absent on the last. */
  nextCursor?: string;
  /** The asked workspace's first, the latest first. */
  sessions: Session[];
}

/** Answer of `session/new` and `session/fork`. */
export interface SessionOpened {
  /** The new session. */
  session: Session;
}

/** A [`Status`] with a text for people, such as `running cargo test`. */
export interface SessionStatus {
  /** The word. */
  state: Status;
  /** The words for people. */
  text: string;
}

/** `session/update`: one change of a session. */
export interface SessionUpdate {
  /**
   * Where it stands in the journal, from 1 without gaps. Absent for what is not durable: deltas, drafts, statuses
   * and repeats of an open item, all of which a later durable update supersedes.
   */
  seq?: number;
  /** Whose. */
  sessionId: SessionId;
  /** The change. */
  update: Update;
}

/** How bad a problem is. The words are those of the language server protocol. */
export type Severity = 'error' | 'warning' | 'information' | 'hint';

/** A file of a workspace that takes effect only where it is trusted, and only as it was then. */
export interface Shipped {
  /** Whether it takes effect now. */
  counts: boolean;
  /** What changed since it was trusted, as a unified diff; absent when nothing did. */
  diff?: string;
  /** Its path in the workspace. */
  path: string;
}

/** A session's state in one word, the same word in every editor. */
export type Status = 'idle' | 'thinking' | 'running' | 'waiting' | 'stopping' | 'stopped' | 'failed';

/** How far a step is. */
export type StepStatus = 'pending' | 'in_progress' | 'completed';

/** Why a turn ended. */
export type StopReason = 'done' | 'length' | 'refused' | 'stepLimit' | 'interrupted' | 'failed';

/** A tool the model called. */
export interface ToolCall {
  /** The model's id of the call, which its output answers. */
  callId: string;
  /** How long it took. */
  durationMs?: number;
  /** A command's exit status. */
  exitCode?: number;
  /** The arguments as the model wrote them. */
  input: string;
  /** The tool. */
  name: string;
  /** What the model is told. May be cut, and then says so. */
  output: string;
  /** The full output's size in bytes, when `output` holds less: `session/output` has the rest. */
  outputBytes?: number;
  /** What became of it. */
  status: ToolStatus;
  /** The model request of the turn that made it, from 0: calls of one answer share it. */
  step: number;
  /** One line for people, such as `$ cargo test`. */
  title: string;
}

/** What became of a tool call. */
export type ToolStatus = 'running' | 'done' | 'failed' | 'refused' | 'interrupted';

/** Whether what a workspace ships takes effect. */
export type Trust = 'unknown' | 'trusted' | 'refused';

/** Answer of `trust/get` and `trust/set`. */
export interface TrustState {
  /** What the workspace ships that depends on it. */
  ships: Shipped[];
  /** What was said. */
  trust: Trust;
}

/** From a prompt until the agent is idle again. */
export type TurnId = string;

/** A change of a session. */
export type Update = { at: string; kind: 'turnStarted'; turnId: TurnId } | { at: string; kind: 'turnEnded'; stop: StopReason; turnId: TurnId; usage: Usage } | { item: Item; kind: 'itemStarted' } | { itemId: ItemId; kind: 'itemDelta'; text: string } | { item: Item; kind: 'itemChanged' } | { item: Item; kind: 'itemEnded' } | { kind: 'modeChanged'; mode: Mode } | { effort?: Effort; kind: 'modelChanged'; model: ModelName } | { kind: 'titleChanged'; title: string } | { kind: 'statusChanged'; status: SessionStatus } | { kind: 'queueChanged'; queue: Queued[] } | { kind: 'draftChanged'; text: string } | { context: ContextUse; kind: 'usage'; usage: Usage } | { command: CommandInfo; kind: 'commandChanged' } | { kind: 'planChanged'; plan: Plan } | { approval: Approval; kind: 'approvalOpened' } | { approvalId: ApprovalId; by?: ConnectionId; decision: Decision; kind: 'approvalClosed' };

/** Tokens. Providers count; what a provider does not tell stays 0. */
export interface Usage {
  /** Of these, served from the provider's cache. */
  cachedTokens: number;
  /** The model's context size in tokens, if known. */
  contextSize?: number;
  /** Tokens in the model's context after the last step. */
  contextTokens: number;
  /** What that cost, in millionths of a US dollar, where the configuration knows the model's price. */
  cost?: number;
  /** Tokens read, cached ones included. */
  inputTokens: number;
  /** Tokens written, thoughts included. */
  outputTokens: number;
  /** Of these, thoughts. */
  reasoningTokens: number;
}

/** Answer of `usage/get`. */
export interface UsageReport {
  /** All sessions' of this day. */
  today: Usage;
  /** The session's, or all sessions'. */
  usage: Usage;
}

/** The person's prompt. */
export interface UserMessage {
  /** What was typed and attached. */
  input: InputPart[];
}

/** What the daemon answers. */
export interface Methods {
  /** Answers questions. The first answer wins; later ones get `alreadyAnswered`. */
  'approval/answer': { params: { approvalIds: ApprovalId[]; decision: Decision; note?: string }; result: Answered };
  /** Lists a workspace's checkpoints. */
  'checkpoint/list': { params: { workspace: string }; result: CheckpointList };
  /** Takes the files back. That makes a checkpoint, so it can be undone. */
  'checkpoint/restore': { params: { dryRun?: boolean; id: CheckpointId }; result: Restored };
  /** Lists a session's background commands. */
  'command/list': { params: { sessionId: SessionId }; result: CommandList };
  /** Reads a command's output from `offset`, in bytes. */
  'command/read': { params: { commandId: CommandId; offset?: number; sessionId: SessionId }; result: CommandOutput };
  /** Stops a command and all it started. */
  'command/stop': { params: { commandId: CommandId; sessionId: SessionId }; result: Done };
  /** Writes to a command's input. */
  'command/write': { params: { commandId: CommandId; sessionId: SessionId; text: string }; result: Done };
  /** What runs, and what is enforced on this machine. */
  'daemon/status': { params: Record<string, never>; result: DaemonStatus };
  /** Ends the daemon; with `drain` as soon as no turn runs. */
  'daemon/stop': { params: { drain?: boolean }; result: Done };
  /** Files whose path fits the query, the best first. */
  'file/search': { params: { limit: number; query: string; workspace: string }; result: FileMatches };
  /** Lists the configured models, or says what is missing. */
  'model/list': { params: Record<string, never>; result: ModelList };
  /** Answers a question of the model. The first answer wins. */
  'question/answer': { params: { choice?: number; itemId: ItemId; sessionId: SessionId; text?: string }; result: Done };
  /** Puts a proposal into the text. */
  'review/accept': { params: { hunkIds?: HunkId[]; range?: LineRange; sessionId?: SessionId; turnId?: TurnId; uri?: string; workspace: string }; result: HunkList };
  /** A file's text when its review began. */
  'review/base': { params: { uri: string }; result: ReviewBase };
  /** The agent's lines become the person's. */
  'review/keep': { params: { hunkIds?: HunkId[]; range?: LineRange; sessionId?: SessionId; turnId?: TurnId; uri?: string; workspace: string }; result: HunkList };
  /** Lists the hunks that wait, of a file or of all. */
  'review/list': { params: { uri?: string; workspace: string }; result: HunkList };
  /** Drops a proposal. */
  'review/reject': { params: { hunkIds?: HunkId[]; range?: LineRange; sessionId?: SessionId; turnId?: TurnId; uri?: string; workspace: string }; result: HunkList };
  /** The agent's lines go. */
  'review/undo': { params: { hunkIds?: HunkId[]; range?: LineRange; sessionId?: SessionId; turnId?: TurnId; uri?: string; workspace: string }; result: HunkList };
  /** Takes a keep back. */
  'review/unkeep': { params: { hunkIds?: HunkId[]; range?: LineRange; sessionId?: SessionId; turnId?: TurnId; uri?: string; workspace: string }; result: HunkList };
  /** Lists every remembered rule that holds here. */
  'rule/list': { params: { workspace?: string }; result: RuleList };
  /** What saving a rule for a question would mean. */
  'rule/preview': { params: { approvalId: ApprovalId; rule?: Rule }; result: RulePreview };
  /** Forgets a rule. */
  'rule/revoke': { params: { ruleId: RuleId }; result: Done };
  /** Hides a session from the default list, or shows it again. */
  'session/archive': { params: { archived: boolean; sessionId: SessionId }; result: Done };
  /** Answers the session's state and sends its updates to this connection from then on. With `afterSeq` the durable updates after it are sent first. */
  'session/attach': { params: { afterSeq?: number; sessionId: SessionId }; result: Attached };
  /** Interrupts the running turn and lets the session leave memory. It stays in the journal. */
  'session/close': { params: { sessionId: SessionId }; result: Done };
  /** Condenses the history now. */
  'session/compact': { params: { sessionId: SessionId }; result: Done };
  /** What could complete the text at `offset` (in UTF-16 units): `@` and `/`. */
  'session/complete': { params: { offset: number; sessionId: SessionId; text: string }; result: CandidateList };
  /** Deletes a session; `restore` takes that back until the next collection. */
  'session/delete': { params: { restore?: boolean; sessionId: SessionId }; result: Done };
  /** Sends no more updates to this connection. The session goes on. */
  'session/detach': { params: { sessionId: SessionId }; result: Done };
  /** Keeps what is typed and not sent, so that any editor can go on with it. */
  'session/draft': { params: { sessionId: SessionId; text: string }; result: Done };
  /** Opens a session with this one's history up to an item. */
  'session/fork': { params: { atItem?: ItemId; sessionId: SessionId }; result: SessionOpened };
  /** Stops the running command, or the turn. */
  'session/interrupt': { params: { commandId?: CommandId; scope: InterruptScope; sessionId: SessionId }; result: Done };
  /** A page of the transcript, oldest first: the `limit` items before `before`, or the newest. */
  'session/items': { params: { before?: ItemId; limit: number; sessionId: SessionId }; result: ItemPage };
  /** Lists sessions, this workspace's first, the latest first; `query` searches the words of transcripts. */
  'session/list': { params: { archived?: boolean; cursor?: string; query?: string; workspace?: string }; result: SessionList };
  /** Opens a session in a folder (an absolute path or a `file:` URI). The mode is read-only unless said. */
  'session/new': { params: { effort?: Effort; mode?: Mode; model?: ModelName; title?: string; workspace: string }; result: SessionOpened };
  /** A slice of a tool's full output, in bytes. */
  'session/output': { params: { itemId: ItemId; limit: number; offset: number; sessionId: SessionId }; result: OutputPage };
  /** Starts a turn, or queues or steers when one runs. Answers as soon as the session took it. */
  'session/prompt': { params: { delivery?: Delivery; input: InputPart[]; sessionId: SessionId }; result: PromptTaken };
  /** Gives a session another title. */
  'session/rename': { params: { sessionId: SessionId; title: string }; result: Done };
  /** Changes what a waiting prompt says. */
  'session/requeue': { params: { input: InputPart[]; queuedId: QueuedId; sessionId: SessionId }; result: Done };
  /** Switches the mode. It holds from the next action on. */
  'session/setMode': { params: { mode: Mode; sessionId: SessionId }; result: Done };
  /** Switches the model. It holds from the next turn on. */
  'session/setModel': { params: { effort?: Effort; model: ModelName; sessionId: SessionId }; result: Done };
  /** Takes a waiting prompt back. */
  'session/unqueue': { params: { queuedId: QueuedId; sessionId: SessionId }; result: Done };
  /** What was said of a workspace. */
  'trust/get': { params: { workspace: string }; result: TrustState };
  /** Says it. */
  'trust/set': { params: { trust: Trust; workspace: string }; result: TrustState };
  /** Tokens of a session, or of all. */
  'usage/get': { params: { sessionId?: SessionId }; result: UsageReport };
}

/** What the daemon takes without an answer. */
export interface NotificationsToDaemon {
  /** A notification: the problems that an editor shows in a file, all of them. Nothing waits for its answer. */
  'editor/diagnostics': { diagnostics: Diagnostic[]; uri: string; version?: number };
  /** A notification: what the person looks at. Nothing waits for its answer. */
  'editor/state': { focused: boolean; selection?: Range; uri?: string; visible?: Range };
}

/** What the daemon tells. */
export interface Notifications {
  /** One change of a session this connection is attached to. */
  'session/update': SessionUpdate;
  /** A session of a list changed, attached or not. */
  'session/changed': SessionChanged;
  /** The hunks of one file, all of them. */
  'review/changed': HunkList;
  /** A fact about the daemon, for people. */
  'daemon/notice': DaemonNotice;
}

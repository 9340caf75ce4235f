// The types of the protocol. Made from protocol/schema.json; do not edit.

/** The model's words, in Markdown. */
export interface AgentMessage {
  completion: Completion;
  text: string;
}

/** Answer of `approval/answer`. */
export interface Answered {
  closed: ApprovalId[];
}

/** A question that waits for the person. Its words hold no control or invisible characters: those are shown as `\u{..}`, and a long run of blanks as its count. */
export interface Approval {
  by?: ConnectionId;
  cwd: string;
  decision?: Decision;
  detail: string;
  edits: Edit[];
  escaped: boolean;
  grants: string[];
  id: ApprovalId;
  itemId: ItemId;
  note?: string;
  reason: string;
  rule?: Rule;
  segments: ApprovalSegment[];
  title: string;
}

/** One question to the person. */
export type ApprovalId = string;

/** One thing that a command line runs. */
export interface ApprovalSegment {
  asks: boolean;
  text: string;
}

/** Answer of `session/attach`: the state at `seq`. The updates after it follow as notifications. */
export interface Attached {
  approvals: Approval[];
  commands: CommandInfo[];
  context: ContextUse;
  draft: string;
  openItems: Item[];
  plan: Plan;
  queue: Queued[];
  seq: number;
  session: Session;
  turnId?: TurnId;
  usage: Usage;
}

/** Whom a notice is for. */
export type Audience = "person" | "model" | "both";

/** Something that completes what is being typed. */
export interface Candidate {
  call?: MethodCall;
  detail?: string;
  insert: string;
  label: string;
}

/** Answer of `session/complete`. */
export interface CandidateList {
  candidates: Candidate[];
}

/** One line of the matrix of what is enforced here. */
export interface Capability {
  enforced: boolean;
  mend?: string;
  name: string;
  reason?: string;
}

/** A point the files can be taken back to. */
export interface Checkpoint {
  at: string;
  id: CheckpointId;
  title: string;
}

/** A point the files can be taken back to. */
export type CheckpointId = string;

/** Answer of `checkpoint/list`. */
export interface CheckpointList {
  checkpoints: Checkpoint[];
}

/** A command that runs in the background. */
export type CommandId = string;

/** A command in the background. */
export interface CommandInfo {
  command: string;
  exitCode?: number;
  id: CommandId;
  outputBytes: number;
  sessionId: SessionId;
  startedAt: string;
}

/** Answer of `command/list`. */
export interface CommandList {
  commands: CommandInfo[];
}

/** Answer of `command/read`. */
export interface CommandOutput {
  exitCode?: number;
  nextOffset: number;
  text: string;
}

/** Older history was condensed here: from now on the model reads less of what lies before. The transcript keeps all of it. */
export interface Compaction {
  firstKept?: ItemId;
  text: string;
  tokensAfter: number;
  tokensBefore: number;
  way: CompactionWay;
}

/** How history was condensed. */
export type CompactionWay = "masked" | "summarized";

/** Whether a streamed item is whole. */
export type Completion = "open" | "whole" | "interrupted" | "broken";

/** One client's connection to the daemon. */
export type ConnectionId = string;

/** One part of a [`ContextReceipt`]. */
export interface ContextPart {
  leftOut?: number;
  source: ContextSource;
  text: string;
  title: string;
  uri?: string;
}

/** What the model was given beside the person's words. Editors show it folded: what, how much, and on request the text. */
export interface ContextReceipt {
  parts: ContextPart[];
}

/** Where a part of the model's context comes from. */
export type ContextSource = "instructions" | "file" | "diagnostics" | "changes" | "editor";

/** What a model's context is made of, in tokens, about. */
export interface ContextUse {
  files: number;
  history: number;
  instructions: number;
  toolOutput: number;
}

/** `daemon/notice`: a fact about the daemon, for people. */
export interface DaemonNotice {
  text: string;
}

/** Answer of `daemon/status`. */
export interface DaemonStatus {
  capabilities: Capability[];
  pid: number;
  protocol: number;
  sessions: number;
  startedAt: string;
  turns: number;
  version: string;
}

/** An answer. */
export type Decision = { kind: "once" } | { kind: "session" } | { kind: "always"; rule: Rule } | { kind: "deny" };

/** What happens to a prompt that arrives while a turn runs. */
export type Delivery = "queue" | "steer";

/** A problem that an editor shows in a file. */
export interface Diagnostic {
  code?: string;
  message: string;
  range: Range;
  severity: Severity;
  source?: string;
}

/** Answer of a method that has nothing to say but that it was done. */
export type Done = Record<string, unknown>;

/** A change of one file. */
export interface Edit {
  added: number;
  callId?: string;
  change: EditKind;
  hunks: Hunk[];
  path: string;
  removed: number;
  state: EditState;
  uri: string;
}

/** What happened to the file. */
export type EditKind = { kind: "created" } | { kind: "changed" } | { kind: "deleted" } | { from: string; kind: "moved" };

/** Whether an edit is in the text. */
export type EditState = "applied" | "proposed" | "conflict";

/** How hard a model is asked to think. */
export type Effort = "minimal" | "low" | "medium" | "high";

/** The `data` of an error of ours. */
export interface ErrorData {
  kind: ErrorKind;
  retryAfterMs?: number;
}

/** What kind of error, in one word. */
export type ErrorKind = "invalidParams" | "notImplemented" | "overloaded" | "notFound" | "refused" | "alreadyAnswered" | "wrongState" | "noModel" | "journal";

/** Something that failed. */
export interface Fault {
  fault: FaultKind;
  message: string;
  retryable: boolean;
}

/** What kind of thing failed. */
export type FaultKind = "configuration" | "endpoint" | "stream" | "contextFull" | "limit" | "journal" | "internal";

/** What a restore does to one file. */
export interface FileChange {
  change: string;
  uri: string;
}

/** One file that fits a query. */
export interface FileMatch {
  path: string;
  uri: string;
}

/** Answer of `file/search`. */
export interface FileMatches {
  files: FileMatch[];
}

/** A reviewable change of one file. */
export interface Hunk {
  id: HunkId;
  kind: HunkKind;
  newRange: LineRange;
  newText: string;
  oldRange: LineRange;
  oldText: string;
  sessionId: SessionId;
  spans: HunkSpan[];
  state: HunkState;
  turnId: TurnId;
  uri: string;
  userLines: number[];
  version?: number;
}

/** A reviewable change. */
export type HunkId = string;

/** What a hunk does to the text. */
export type HunkKind = "add" | "change" | "delete";

/** Answer of `review/list` and its verbs; `review/changed` carries it for one file. */
export interface HunkList {
  hunks: Hunk[];
  uri?: string;
  version?: number;
}

/** A changed stretch inside a line, for drawing. */
export interface HunkSpan {
  end: number;
  line: number;
  start: number;
}

/** Whether a hunk is in the text. */
export type HunkState = "applied" | "proposed" | "conflict";

/** One part of a prompt. */
export type InputPart = { text: string; type: "text" } | { type: "file"; uri: string } | { range: Range; type: "selection"; uri: string } | { data: string; mediaType: string; type: "image" } | { type: "diagnostics"; uri?: string } | { range: Range; type: "symbol"; uri: string } | { type: "changes" };

/** What an interrupt stops. */
export type InterruptScope = "command" | "turn";

/** One entry of a transcript. An item starts, may change, and ends; its last state is the one that counts. */
export interface Item {
  at: string;
  content: ItemContent;
  id: ItemId;
  turnId?: TurnId;
}

/** What an item is. */
export type ItemContent = ({ kind: "userMessage" } & UserMessage) | ({ kind: "agentMessage" } & AgentMessage) | ({ kind: "reasoning" } & Reasoning) | ({ kind: "toolCall" } & ToolCall) | ({ kind: "edit" } & Edit) | ({ kind: "plan" } & Plan) | ({ kind: "approval" } & Approval) | ({ kind: "question" } & Question) | ({ kind: "conflict" } & Edit) | ({ kind: "error" } & Fault) | ({ kind: "context" } & ContextReceipt) | ({ kind: "compaction" } & Compaction) | ({ kind: "notice" } & Notice);

/** One entry of a transcript. */
export type ItemId = string;

/** Answer of `session/items`: a page of the transcript, oldest first. */
export interface ItemPage {
  before?: ItemId;
  items: Item[];
}

/** Lines, half-open and from 0. Empty (`start == end`) for a place between two lines. */
export interface LineRange {
  end: number;
  start: number;
}

/** A method with its parameters, to be called as it is. */
export interface MethodCall {
  method: string;
  params: unknown;
}

/** What the agent may do. A mode is enforced by the tools, by policy and by the sandbox; it never rests on the prompt. */
export type Mode = "read-only" | "agent";

/** One model that can be used. */
export interface ModelInfo {
  context?: number;
  default: boolean;
  efforts: Effort[];
  name: ModelName;
  price?: Price;
}

/** Answer of `model/list`. */
export interface ModelList {
  models: ModelInfo[];
  problem?: string;
}

/** `provider/model`, where the provider is a name from the configuration. */
export type ModelName = string;

/** A fact. */
export interface Notice {
  audience: Audience;
  text: string;
}

/** Answer of `session/output`: a slice of a tool's full output. */
export interface OutputPage {
  offset: number;
  text: string;
  total: number;
}

/** A plan of several steps. */
export interface Plan {
  steps: PlanStep[];
}

/** One step of a plan. */
export interface PlanStep {
  status: StepStatus;
  step: string;
}

/** A place in a text: line and UTF-16 column, both from 0, as in the language server protocol's default. */
export interface Position {
  character: number;
  line: number;
}

/** What a model's tokens cost, in millionths of a US dollar for a million tokens. */
export interface Price {
  cached: number;
  input: number;
  output: number;
}

/** Answer of `session/prompt`: exactly one field is present. */
export interface PromptTaken {
  queuedId?: QueuedId;
  turnId?: TurnId;
}

/** A question the model asks the person. */
export interface Question {
  answer?: string;
  choices: string[];
  text: string;
}

/** A prompt that waits. */
export interface Queued {
  id: QueuedId;
  input: InputPart[];
}

/** A prompt that waits for the running turn. */
export type QueuedId = string;

/** A half-open stretch of a text. */
export interface Range {
  end: Position;
  start: Position;
}

/** The model's thoughts. */
export interface Reasoning {
  completion: Completion;
  model?: ModelName;
  opaque?: unknown;
  text: string;
}

/** Answer of `checkpoint/restore`. */
export interface Restored {
  changes: FileChange[];
  checkpointId?: CheckpointId;
}

/** Answer of `review/base`. */
export interface ReviewBase {
  text: string;
}

/** A remembered answer. */
export interface Rule {
  argv: string[];
  file?: string;
  grants: string[];
  hits: number;
  id?: RuleId;
  prefix: boolean;
  scope: Scope;
  usedAt?: string;
}

/** A remembered answer. */
export type RuleId = string;

/** Answer of `rule/list`. */
export interface RuleList {
  rules: Rule[];
}

/** Answer of `rule/preview`: what saving a rule would mean. */
export interface RulePreview {
  alsoRuns: string[];
  file: string;
  rule: Rule;
  stillAsks: string[];
}

/** Where a rule holds. */
export type Scope = "workspace" | "everywhere";

/** One session, as lists show it. */
export interface Session {
  archived: boolean;
  createdAt: string;
  effort?: Effort;
  id: SessionId;
  mode: Mode;
  model?: ModelName;
  parent?: SessionId;
  status: SessionStatus;
  title: string;
  updatedAt: string;
  workspace: string;
}

/** `session/changed`: a session of a list changed. */
export interface SessionChanged {
  session: Session;
}

/** A conversation with a workspace, a mode and a journal. */
export type SessionId = string;

/** Answer of `session/list`. */
export interface SessionList {
  nextCursor?: string;
  sessions: Session[];
}

/** Answer of `session/new` and `session/fork`. */
export interface SessionOpened {
  session: Session;
}

/** A [`Status`] with a text for people, such as `running cargo test`. */
export interface SessionStatus {
  state: Status;
  text: string;
}

/** `session/update`: one change of a session. */
export interface SessionUpdate {
  seq?: number;
  sessionId: SessionId;
  update: Update;
}

/** How bad a problem is. The words are those of the language server protocol. */
export type Severity = "error" | "warning" | "information" | "hint";

/** A file of a workspace that takes effect only where it is trusted, and only as it was then. */
export interface Shipped {
  counts: boolean;
  diff?: string;
  path: string;
}

/** A session's state in one word, the same word in every editor. */
export type Status = "idle" | "thinking" | "running" | "waiting" | "stopping" | "stopped" | "failed";

/** How far a step is. */
export type StepStatus = "pending" | "in_progress" | "completed";

/** Why a turn ended. */
export type StopReason = "done" | "length" | "refused" | "stepLimit" | "interrupted" | "failed";

/** A tool the model called. */
export interface ToolCall {
  callId: string;
  durationMs?: number;
  exitCode?: number;
  input: string;
  name: string;
  output: string;
  outputBytes?: number;
  status: ToolStatus;
  step: number;
  title: string;
}

/** What became of a tool call. */
export type ToolStatus = "running" | "done" | "failed" | "refused" | "interrupted";

/** Whether what a workspace ships takes effect. */
export type Trust = "unknown" | "trusted" | "refused";

/** Answer of `trust/get` and `trust/set`. */
export interface TrustState {
  ships: Shipped[];
  trust: Trust;
}

/** From a prompt until the agent is idle again. */
export type TurnId = string;

/** A change of a session. */
export type Update = { at: string; kind: "turnStarted"; turnId: TurnId } | { at: string; kind: "turnEnded"; stop: StopReason; turnId: TurnId; usage: Usage } | { item: Item; kind: "itemStarted" } | { itemId: ItemId; kind: "itemDelta"; text: string } | { item: Item; kind: "itemChanged" } | { item: Item; kind: "itemEnded" } | { kind: "modeChanged"; mode: Mode } | { effort?: Effort; kind: "modelChanged"; model: ModelName } | { kind: "titleChanged"; title: string } | { kind: "statusChanged"; status: SessionStatus } | { kind: "queueChanged"; queue: Queued[] } | { kind: "draftChanged"; text: string } | { context: ContextUse; kind: "usage"; usage: Usage } | { command: CommandInfo; kind: "commandChanged" } | { kind: "planChanged"; plan: Plan } | { approval: Approval; kind: "approvalOpened" } | { approvalId: ApprovalId; by?: ConnectionId; decision: Decision; kind: "approvalClosed" };

/** Tokens. Providers count; what a provider does not tell stays 0. */
export interface Usage {
  cachedTokens: number;
  contextSize?: number;
  contextTokens: number;
  cost?: number;
  inputTokens: number;
  outputTokens: number;
  reasoningTokens: number;
}

/** Answer of `usage/get`. */
export interface UsageReport {
  today: Usage;
  usage: Usage;
}

/** The person's prompt. */
export interface UserMessage {
  input: InputPart[];
}

export interface Methods {
  'approval/answer': { params: { approvalIds: ApprovalId[]; decision: Decision; note?: string }; result: Answered };
  'checkpoint/list': { params: { workspace: string }; result: CheckpointList };
  'checkpoint/restore': { params: { dryRun?: boolean; id: CheckpointId }; result: Restored };
  'command/list': { params: { sessionId: SessionId }; result: CommandList };
  'command/read': { params: { commandId: CommandId; offset?: number; sessionId: SessionId }; result: CommandOutput };
  'command/stop': { params: { commandId: CommandId; sessionId: SessionId }; result: Done };
  'command/write': { params: { commandId: CommandId; sessionId: SessionId; text: string }; result: Done };
  'daemon/status': { params: Record<string, unknown>; result: DaemonStatus };
  'daemon/stop': { params: { drain?: boolean }; result: Done };
  'editor/diagnostics': { params: { diagnostics: Diagnostic[]; uri: string; version?: number }; result: void };
  'editor/state': { params: { focused: boolean; selection?: Range; uri?: string; visible?: Range }; result: void };
  'file/search': { params: { limit: number; query: string; workspace: string }; result: FileMatches };
  'model/list': { params: Record<string, unknown>; result: ModelList };
  'question/answer': { params: { choice?: number; itemId: ItemId; sessionId: SessionId; text?: string }; result: Done };
  'review/accept': { params: { hunkIds?: HunkId[]; range?: LineRange; sessionId?: SessionId; turnId?: TurnId; uri?: string; workspace: string }; result: HunkList };
  'review/base': { params: { uri: string }; result: ReviewBase };
  'review/keep': { params: { hunkIds?: HunkId[]; range?: LineRange; sessionId?: SessionId; turnId?: TurnId; uri?: string; workspace: string }; result: HunkList };
  'review/list': { params: { uri?: string; workspace: string }; result: HunkList };
  'review/reject': { params: { hunkIds?: HunkId[]; range?: LineRange; sessionId?: SessionId; turnId?: TurnId; uri?: string; workspace: string }; result: HunkList };
  'review/undo': { params: { hunkIds?: HunkId[]; range?: LineRange; sessionId?: SessionId; turnId?: TurnId; uri?: string; workspace: string }; result: HunkList };
  'review/unkeep': { params: { hunkIds?: HunkId[]; range?: LineRange; sessionId?: SessionId; turnId?: TurnId; uri?: string; workspace: string }; result: HunkList };
  'rule/list': { params: { workspace?: string }; result: RuleList };
  'rule/preview': { params: { approvalId: ApprovalId; rule?: Rule }; result: RulePreview };
  'rule/revoke': { params: { ruleId: RuleId }; result: Done };
  'session/archive': { params: { archived: boolean; sessionId: SessionId }; result: Done };
  'session/attach': { params: { afterSeq?: number; sessionId: SessionId }; result: Attached };
  'session/close': { params: { sessionId: SessionId }; result: Done };
  'session/compact': { params: { sessionId: SessionId }; result: Done };
  'session/complete': { params: { offset: number; sessionId: SessionId; text: string }; result: CandidateList };
  'session/delete': { params: { restore?: boolean; sessionId: SessionId }; result: Done };
  'session/detach': { params: { sessionId: SessionId }; result: Done };
  'session/draft': { params: { sessionId: SessionId; text: string }; result: Done };
  'session/fork': { params: { atItem?: ItemId; sessionId: SessionId }; result: SessionOpened };
  'session/interrupt': { params: { commandId?: CommandId; scope: InterruptScope; sessionId: SessionId }; result: Done };
  'session/items': { params: { before?: ItemId; limit: number; sessionId: SessionId }; result: ItemPage };
  'session/list': { params: { archived?: boolean; cursor?: string; query?: string; workspace?: string }; result: SessionList };
  'session/new': { params: { effort?: Effort; mode?: Mode; model?: ModelName; title?: string; workspace: string }; result: SessionOpened };
  'session/output': { params: { itemId: ItemId; limit: number; offset: number; sessionId: SessionId }; result: OutputPage };
  'session/prompt': { params: { delivery?: Delivery; input: InputPart[]; sessionId: SessionId }; result: PromptTaken };
  'session/rename': { params: { sessionId: SessionId; title: string }; result: Done };
  'session/requeue': { params: { input: InputPart[]; queuedId: QueuedId; sessionId: SessionId }; result: Done };
  'session/setMode': { params: { mode: Mode; sessionId: SessionId }; result: Done };
  'session/setModel': { params: { effort?: Effort; model: ModelName; sessionId: SessionId }; result: Done };
  'session/unqueue': { params: { queuedId: QueuedId; sessionId: SessionId }; result: Done };
  'trust/get': { params: { workspace: string }; result: TrustState };
  'trust/set': { params: { trust: Trust; workspace: string }; result: TrustState };
  'usage/get': { params: { sessionId?: SessionId }; result: UsageReport };
}

export interface Notifications {
  'session/update': SessionUpdate;
  'session/changed': SessionChanged;
  'review/changed': HunkList;
  'daemon/notice': DaemonNotice;
}

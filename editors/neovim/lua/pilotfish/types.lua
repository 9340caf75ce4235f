---@meta
-- Made from the protocol's types by its tests; do not edit.

---The model's words, in Markdown.
---@class pilotfish.AgentMessage
---@field completion pilotfish.Completion # Whether that is all.
---@field text string # What it said so far.

---Answer of `approval/answer`.
---@class pilotfish.Answered
---@field closed pilotfish.ApprovalId[] # The questions this answer closed.

---A question that waits for the person. Its words hold no control or invisible characters: those are shown as `\u{..}`, and a long run of
---blanks as its count.
---@class pilotfish.Approval
---@field by? pilotfish.ConnectionId # Whose answer it was.
---@field cwd string # Where it would happen, an absolute path.
---@field decision? pilotfish.Decision # The answer, once there is one. A question that ended without was never answered.
---@field detail string # The exact command line, or what else it is about.
---@field edits pilotfish.Edit[] # What would change, when it is about files.
---@field escaped boolean # Whether something in it is shown escaped: then it looks other than it is, and a person should look twice.
---@field grants string[] # What a yes gives: `host:NAME`, `path:/abs`, `protected:PATH` from the workspace's root, or `unconfined`.
---@field id pilotfish.ApprovalId # Its id.
---@field itemId pilotfish.ItemId # The tool call that waits.
---@field note? string # What the person said to the model.
---@field reason string # Why it is asked.
---@field rule? pilotfish.Rule # What *always* would save, unless the person says another; absent when no rule can stand for this.
---@field segments pilotfish.ApprovalSegment[] # What the command line runs, in order; empty when it is about no command.
---@field title string # One line: what would happen.

---One question to the person.
---@alias pilotfish.ApprovalId string

---One thing that a command line runs.
---@class pilotfish.ApprovalSegment
---@field asks boolean # Whether it is what needs the answer; no rule stands for it.
---@field text string # Its words.

---Answer of `session/attach`: the state at `seq`. The updates after it follow as notifications.
---@class pilotfish.Attached
---@field approvals pilotfish.Approval[] # Questions that wait for an answer.
---@field commands pilotfish.CommandInfo[] # Commands in the background.
---@field context pilotfish.ContextUse # What the model's context is made of.
---@field draft string # What somebody has typed and not sent.
---@field openItems pilotfish.Item[] # Items that have started and not ended, with their text so far.
---@field plan pilotfish.Plan # The model's plan.
---@field queue pilotfish.Queued[] # Prompts that wait for the running turn.
---@field seq integer # The last durable update this snapshot contains; 0 for a session that has none.
---@field session pilotfish.Session # The session itself.
---@field turnId? pilotfish.TurnId # The running turn.
---@field usage pilotfish.Usage # Tokens so far.

---Whom a notice is for.
---@alias pilotfish.Audience "person"|"model"|"both"

---Something that completes what is being typed.
---@class pilotfish.Candidate
---@field call? pilotfish.MethodCall # What to call instead of inserting anything.
---@field detail? string # More words.
---@field insert string # What to insert.
---@field label string # What to show.

---Answer of `session/complete`.
---@class pilotfish.CandidateList
---@field candidates pilotfish.Candidate[] # The best first.

---One line of the matrix of what is enforced here.
---@class pilotfish.Capability
---@field enforced boolean # Whether it is enforced here.
---@field mend? string # How to mend it, when a person can.
---@field name string # What, such as `commands are confined`.
---@field reason? string # Why not.

---A point the files can be taken back to.
---@class pilotfish.Checkpoint
---@field at string # When it was made, RFC 3339.
---@field id pilotfish.CheckpointId # Its id.
---@field title string # What it comes before.

---A point the files can be taken back to.
---@alias pilotfish.CheckpointId string

---Answer of `checkpoint/list`.
---@class pilotfish.CheckpointList
---@field checkpoints pilotfish.Checkpoint[] # The latest first.

---A command that runs in the background.
---@alias pilotfish.CommandId string

---A command in the background.
---@class pilotfish.CommandInfo
---@field command string # As it was called.
---@field exitCode? integer # How it ended; absent while it runs.
---@field id pilotfish.CommandId # Its id.
---@field outputBytes integer # How much it has said so far, in bytes.
---@field sessionId pilotfish.SessionId # Whose.
---@field startedAt string # When it started, RFC 3339.

---Answer of `command/list`.
---@class pilotfish.CommandList
---@field commands pilotfish.CommandInfo[] # The oldest first.

---Answer of `command/read`.
---@class pilotfish.CommandOutput
---@field exitCode? integer # How it ended; absent while it runs.
---@field nextOffset integer # Where to read on, in bytes.
---@field text string # From `offset`.

---Older history was condensed here: from now on the model reads less of what lies before. The transcript keeps all of it.
---@class pilotfish.Compaction
---@field firstKept? pilotfish.ItemId # The first item that the model reads as it was; absent when that is the one after this.
---@field text string # What the model reads in place of what was condensed; empty when outputs were masked.
---@field tokensAfter integer # About how many it holds now.
---@field tokensBefore integer # About how many tokens the model's context held before.
---@field way pilotfish.CompactionWay # How.

---How history was condensed.
---@alias pilotfish.CompactionWay "masked"|"summarized"

---Whether a streamed item is whole.
---@alias pilotfish.Completion "open"|"whole"|"interrupted"|"broken"

---One client's connection to the daemon.
---@alias pilotfish.ConnectionId string

---One part of a [`ContextReceipt`].
---@class pilotfish.ContextPart
---@field leftOut? integer # How much was left out, in bytes.
---@field source pilotfish.ContextSource # Where it comes from.
---@field text string # What the model reads. May be cut, and then says so.
---@field title string # What it is called, for people, such as `src/AGENTS.md` or `src/watch.rs:3-9`.
---@field uri? string # The `file:` URI of what it was read from.

---What the model was given beside the person's words. Editors show it folded: what, how much, and on request the text.
---@class pilotfish.ContextReceipt
---@field parts pilotfish.ContextPart[] # In the order in which the model reads them.

---Where a part of the model's context comes from.
---@alias pilotfish.ContextSource "instructions"|"file"|"diagnostics"|"changes"|"editor"

---What a model's context is made of, in tokens, about.
---@class pilotfish.ContextUse
---@field files integer # What was attached, pictures among it.
---@field history integer # What was said, and calls of tools.
---@field instructions integer # Who the model is here, its tools, and what the person and the workspace say to all agents.
---@field toolOutput integer # What tools answered.

---`daemon/notice`: a fact about the daemon, for people.
---@class pilotfish.DaemonNotice
---@field text string # The words.

---Answer of `daemon/status`.
---@class pilotfish.DaemonStatus
---@field capabilities pilotfish.Capability[] # What is enforced on this machine.
---@field pid integer # The daemon's process id.
---@field protocol integer # The vocabulary's version.
---@field sessions integer # Sessions held in memory.
---@field startedAt string # When it started, RFC 3339.
---@field turns integer # Turns that run.
---@field version string # The program's version.

---An answer.
---@alias pilotfish.Decision pilotfish.Decision.once|pilotfish.Decision.session|pilotfish.Decision.always|pilotfish.Decision.deny

---This time.
---@class pilotfish.Decision.once
---@field kind "once"

---For the rest of this session.
---@class pilotfish.Decision.session
---@field kind "session"

---From now on, as the rule says.
---@class pilotfish.Decision.always
---@field kind "always"
---@field rule pilotfish.Rule # What is remembered.

---No.
---@class pilotfish.Decision.deny
---@field kind "deny"

---What happens to a prompt that arrives while a turn runs.
---@alias pilotfish.Delivery "queue"|"steer"

---A problem that an editor shows in a file.
---@class pilotfish.Diagnostic
---@field code? string # What its finder calls it, such as `E0308`.
---@field message string # What, in words.
---@field range pilotfish.Range # Where.
---@field severity pilotfish.Severity # How bad.
---@field source? string # Who found it, such as `rust-analyzer`.

---Answer of a method that has nothing to say but that it was done.
---@alias pilotfish.Done table

---A change of one file.
---@class pilotfish.Edit
---@field added integer # Lines added.
---@field callId? string # The call that made it.
---@field change pilotfish.EditKind # What happened to it.
---@field hunks pilotfish.Hunk[] # The changes, in the order of the text. Empty for a binary file.
---@field path string # Its path from the workspace's root, for people.
---@field removed integer # Lines removed.
---@field state pilotfish.EditState # Whether that is in the text.
---@field uri string # The file's `file:` URI.

---What happened to the file.
---@alias pilotfish.EditKind pilotfish.EditKind.created|pilotfish.EditKind.changed|pilotfish.EditKind.deleted|pilotfish.EditKind.moved

---It was not there before.
---@class pilotfish.EditKind.created
---@field kind "created"

---Its text changed.
---@class pilotfish.EditKind.changed
---@field kind "changed"

---It is gone.
---@class pilotfish.EditKind.deleted
---@field kind "deleted"

---It has another name now, and maybe another text.
---@class pilotfish.EditKind.moved
---@field from string # The `file:` URI it had before.
---@field kind "moved"

---Whether an edit is in the text.
---@alias pilotfish.EditState "applied"|"proposed"|"conflict"

---How hard a model is asked to think.
---@alias pilotfish.Effort "minimal"|"low"|"medium"|"high"

---The `data` of an error of ours.
---@class pilotfish.ErrorData
---@field kind pilotfish.ErrorKind # What kind.
---@field retryAfterMs? integer # When to try again, for `overloaded`.

---What kind of error, in one word.
---@alias pilotfish.ErrorKind "invalidParams"|"notImplemented"|"overloaded"|"notFound"|"refused"|"alreadyAnswered"|"wrongState"|"noModel"|"journal"

---Something that failed.
---@class pilotfish.Fault
---@field fault pilotfish.FaultKind # What kind of thing.
---@field message string # What was attempted, on what, and how to mend it.
---@field retryable boolean # Whether the same prompt may work later.

---What kind of thing failed.
---@alias pilotfish.FaultKind "configuration"|"endpoint"|"stream"|"contextFull"|"limit"|"journal"|"internal"

---What a restore does to one file.
---@class pilotfish.FileChange
---@field change string # In words, such as `deleted` or `left: you changed it since`.
---@field uri string # The file's `file:` URI.

---One file that fits a query.
---@class pilotfish.FileMatch
---@field path string # Its path from the workspace's root.
---@field uri string # The file's `file:` URI.

---Answer of `file/search`.
---@class pilotfish.FileMatches
---@field files pilotfish.FileMatch[] # The best first.

---A reviewable change of one file.
---@class pilotfish.Hunk
---@field id pilotfish.HunkId # Its id, which survives every edit outside it.
---@field kind pilotfish.HunkKind # What it does.
---@field newRange pilotfish.LineRange # Where its lines stand, or would stand.
---@field newText string # The lines after, with their line ends.
---@field oldRange pilotfish.LineRange # Where its lines stood before.
---@field oldText string # The lines before, with their line ends.
---@field sessionId pilotfish.SessionId # Whose change it is.
---@field spans pilotfish.HunkSpan[] # What changed inside the lines.
---@field state pilotfish.HunkState # Whether it is in the text.
---@field turnId pilotfish.TurnId # The turn that made it.
---@field uri string # The file's `file:` URI.
---@field userLines integer[] # Lines inside it that the person wrote, from 0 in the new text.
---@field version? integer # The version of the client's text that `newRange` speaks of; absent for a file no client has open.

---A reviewable change.
---@alias pilotfish.HunkId string

---What a hunk does to the text.
---@alias pilotfish.HunkKind "add"|"change"|"delete"

---Answer of `review/list` and its verbs; `review/changed` carries it for one file.
---@class pilotfish.HunkList
---@field hunks pilotfish.Hunk[] # In the order of the text.
---@field uri? string # The file, when all are of one.
---@field version? integer # The version of that file's text. Drop the list when yours is newer.

---A changed stretch inside a line, for drawing.
---@class pilotfish.HunkSpan
---@field end integer # The first UTF-16 column after.
---@field line integer # The line in the new text, from 0.
---@field start integer # The first UTF-16 column inside.

---Whether a hunk is in the text.
---@alias pilotfish.HunkState "applied"|"proposed"|"conflict"

---One part of a prompt.
---@alias pilotfish.InputPart pilotfish.InputPart.text|pilotfish.InputPart.file|pilotfish.InputPart.selection|pilotfish.InputPart.image|pilotfish.InputPart.diagnostics|pilotfish.InputPart.symbol|pilotfish.InputPart.changes

---Words.
---@class pilotfish.InputPart.text
---@field text string # As typed.
---@field type "text"

---A whole file.
---@class pilotfish.InputPart.file
---@field type "file"
---@field uri string # Its `file:` URI.

---Lines of a file.
---@class pilotfish.InputPart.selection
---@field range pilotfish.Range # What is selected.
---@field type "selection"
---@field uri string # Its `file:` URI.

---A picture.
---@class pilotfish.InputPart.image
---@field data string # Base64.
---@field mediaType string # Such as `image/png`.
---@field type "image"

---The problems an editor knows of, of one file or of all.
---@class pilotfish.InputPart.diagnostics
---@field type "diagnostics"
---@field uri? string # Its `file:` URI.

---A named piece of code.
---@class pilotfish.InputPart.symbol
---@field range pilotfish.Range # Where it stands.
---@field type "symbol"
---@field uri string # Its `file:` URI.

---The changes that wait for review.
---@class pilotfish.InputPart.changes
---@field type "changes"

---What an interrupt stops.
---@alias pilotfish.InterruptScope "command"|"turn"

---One entry of a transcript. An item starts, may change, and ends; its last state is the one that counts.
---@class pilotfish.Item
---@field at string # When it started, RFC 3339.
---@field content pilotfish.ItemContent # What it is.
---@field id pilotfish.ItemId # Unique within its session; ids of one session sort in the order of their making.
---@field turnId? pilotfish.TurnId # The turn it belongs to; absent for what happens between turns.

---What an item is.
---@alias pilotfish.ItemContent pilotfish.ItemContent.userMessage|pilotfish.ItemContent.agentMessage|pilotfish.ItemContent.reasoning|pilotfish.ItemContent.toolCall|pilotfish.ItemContent.edit|pilotfish.ItemContent.plan|pilotfish.ItemContent.approval|pilotfish.ItemContent.question|pilotfish.ItemContent.conflict|pilotfish.ItemContent.error|pilotfish.ItemContent.context|pilotfish.ItemContent.compaction|pilotfish.ItemContent.notice

---The person's prompt.
---@class pilotfish.ItemContent.userMessage: pilotfish.UserMessage
---@field kind "userMessage"

---The model's words.
---@class pilotfish.ItemContent.agentMessage: pilotfish.AgentMessage
---@field kind "agentMessage"

---The model's thoughts, as far as its provider shows them.
---@class pilotfish.ItemContent.reasoning: pilotfish.Reasoning
---@field kind "reasoning"

---A tool the model called, and what came of it.
---@class pilotfish.ItemContent.toolCall: pilotfish.ToolCall
---@field kind "toolCall"

---What a tool changed in one file, or proposes to.
---@class pilotfish.ItemContent.edit: pilotfish.Edit
---@field kind "edit"

---The model's plan.
---@class pilotfish.ItemContent.plan: pilotfish.Plan
---@field kind "plan"

---A question the policy asks the person.
---@class pilotfish.ItemContent.approval: pilotfish.Approval
---@field kind "approval"

---A question the model asks the person.
---@class pilotfish.ItemContent.question: pilotfish.Question
---@field kind "question"

---An edit that meets the person's own lines.
---@class pilotfish.ItemContent.conflict: pilotfish.Edit
---@field kind "conflict"

---Something failed.
---@class pilotfish.ItemContent.error: pilotfish.Fault
---@field kind "error"

---What the model was given beside the person's words: what the workspace says to agents, what the person attached.
---@class pilotfish.ItemContent.context: pilotfish.ContextReceipt
---@field kind "context"

---Older history was condensed here.
---@class pilotfish.ItemContent.compaction: pilotfish.Compaction
---@field kind "compaction"

---A fact, for the person, the model or both.
---@class pilotfish.ItemContent.notice: pilotfish.Notice
---@field kind "notice"

---One entry of a transcript.
---@alias pilotfish.ItemId string

---Answer of `session/items`: a page of the transcript, oldest first.
---@class pilotfish.ItemPage
---@field before? pilotfish.ItemId # Give it as `before` for the page before this one; absent at the beginning.
---@field items pilotfish.Item[] # Ended items and, on the newest page, started ones.

---Lines, half-open and from 0. Empty (`start == end`) for a place between two lines.
---@class pilotfish.LineRange
---@field end integer # The first line after.
---@field start integer # The first line inside.

---A method with its parameters, to be called as it is.
---@class pilotfish.MethodCall
---@field method string # Its name.
---@field params any # Its parameters.

---What the agent may do. A mode is enforced by the tools, by policy and by the sandbox; it never rests on the prompt.
---@alias pilotfish.Mode "read-only"|"agent"

---One model that can be used.
---@class pilotfish.ModelInfo
---@field context? integer # Its context size in tokens, if known.
---@field default boolean # Whether new sessions use it.
---@field efforts pilotfish.Effort[] # The efforts it takes; empty when unknown.
---@field name pilotfish.ModelName # Its name.
---@field price? pilotfish.Price # What it costs, if known.

---Answer of `model/list`.
---@class pilotfish.ModelList
---@field models pilotfish.ModelInfo[] # In the order of the configuration.
---@field problem? string # What is missing, when there is none to use.

---`provider/model`, where the provider is a name from the configuration.
---@alias pilotfish.ModelName string

---A fact.
---@class pilotfish.Notice
---@field audience pilotfish.Audience # Whom they are for.
---@field text string # The words.

---Answer of `session/output`: a slice of a tool's full output.
---@class pilotfish.OutputPage
---@field offset integer # Where this page begins, in bytes.
---@field text string # The text from `offset`, cut at a character boundary.
---@field total integer # The whole output's size in bytes.

---A plan of several steps.
---@class pilotfish.Plan
---@field steps pilotfish.PlanStep[] # In order.

---One step of a plan.
---@class pilotfish.PlanStep
---@field status pilotfish.StepStatus # How far it is.
---@field step string # What is to be done.

---A place in a text: line and UTF-16 column, both from 0, as in the language server protocol's default.
---@class pilotfish.Position
---@field character integer # From 0, in UTF-16 units.
---@field line integer # From 0.

---What a model's tokens cost, in millionths of a US dollar for a million tokens.
---@class pilotfish.Price
---@field cached integer # Read from the provider's cache.
---@field input integer # Read.
---@field output integer # Written.

---Answer of `session/prompt`: exactly one field is present.
---@class pilotfish.PromptTaken
---@field queuedId? pilotfish.QueuedId # The place in the queue.
---@field turnId? pilotfish.TurnId # The turn that started, or that the input steers.

---A question the model asks the person.
---@class pilotfish.Question
---@field answer? string # What the person said.
---@field choices string[] # Answers to pick from; any text may be given instead.
---@field text string # The question.

---A prompt that waits.
---@class pilotfish.Queued
---@field id pilotfish.QueuedId # Its id, for `session/unqueue` and `session/requeue`.
---@field input pilotfish.InputPart[] # What was typed.

---A prompt that waits for the running turn.
---@alias pilotfish.QueuedId string

---A half-open stretch of a text.
---@class pilotfish.Range
---@field end pilotfish.Position # The first place after.
---@field start pilotfish.Position # The first place inside.

---The model's thoughts.
---@class pilotfish.Reasoning
---@field completion pilotfish.Completion # Whether that is all.
---@field model? pilotfish.ModelName # The model it came from: only that one gets `opaque` back.
---@field opaque? any # What its provider wants sent back unread, such as encrypted thoughts.
---@field text string # The summary its provider shows; may be empty.

---Answer of `checkpoint/restore`.
---@class pilotfish.Restored
---@field changes pilotfish.FileChange[] # What changed, or would.
---@field checkpointId? pilotfish.CheckpointId # The checkpoint that takes this restore back; absent in a dry run.

---Answer of `review/base`.
---@class pilotfish.ReviewBase
---@field text string # The text when the review of this file began.

---A remembered answer.
---@class pilotfish.Rule
---@field argv string[] # The words of the command, exactly; with `prefix` any words may follow.
---@field file? string # The file it stands in; absent while it is only proposed.
---@field grants string[] # What it grants beyond the sandbox, such as `host:github.com`.
---@field hits integer # How often it answered.
---@field id? pilotfish.RuleId # Its id; absent while it is only proposed.
---@field prefix boolean # Whether more words may follow.
---@field scope pilotfish.Scope # Where it holds.
---@field usedAt? string # When it last answered, RFC 3339.

---A remembered answer.
---@alias pilotfish.RuleId string

---Answer of `rule/list`.
---@class pilotfish.RuleList
---@field rules pilotfish.Rule[] # All that hold here.

---Answer of `rule/preview`: what saving a rule would mean.
---@class pilotfish.RulePreview
---@field alsoRuns string[] # What else would run.
---@field file string # The file it would go to.
---@field rule pilotfish.Rule # The rule as it would be saved.
---@field stillAsks string[] # What would still ask.

---Where a rule holds.
---@alias pilotfish.Scope "workspace"|"everywhere"

---One session, as lists show it.
---@class pilotfish.Session
---@field archived boolean # Hidden from the default list.
---@field createdAt string # When it was opened, RFC 3339.
---@field effort? pilotfish.Effort # How hard the model is asked to think; absent for its usual.
---@field id pilotfish.SessionId # Its id.
---@field mode pilotfish.Mode # What the agent may do.
---@field model? pilotfish.ModelName # The model that answers; absent when none is configured.
---@field parent? pilotfish.SessionId # The session this one was forked from.
---@field status pilotfish.SessionStatus # What it does now.
---@field title string # A short title; the first prompt's first line until somebody renames it.
---@field updatedAt string # When its last durable update was journaled, RFC 3339.
---@field workspace string # The absolute path of the folder it works in.

---`session/changed`: a session of a list changed.
---@class pilotfish.SessionChanged
---@field session pilotfish.Session # As it is now.

---A conversation with a workspace, a mode and a journal.
---@alias pilotfish.SessionId string

---Answer of `session/list`.
---@class pilotfish.SessionList
---@field nextCursor? string # Give it as `cursor` for the next page; absent on the last.
---@field sessions pilotfish.Session[] # The asked workspace's first, the latest first.

---Answer of `session/new` and `session/fork`.
---@class pilotfish.SessionOpened
---@field session pilotfish.Session # The new session.

---A [`Status`] with a text for people, such as `running cargo test`.
---@class pilotfish.SessionStatus
---@field state pilotfish.Status # The word.
---@field text string # The words for people.

---`session/update`: one change of a session.
---@class pilotfish.SessionUpdate
---@field seq? integer # Where it stands in the journal, from 1 without gaps. Absent for what is not durable: deltas, drafts, statuses and repeats of an open item, all of which a later durable update supersedes.
---@field sessionId pilotfish.SessionId # Whose.
---@field update pilotfish.Update # The change.

---How bad a problem is. The words are those of the language server protocol.
---@alias pilotfish.Severity "error"|"warning"|"information"|"hint"

---A file of a workspace that takes effect only where it is trusted, and only as it was then.
---@class pilotfish.Shipped
---@field counts boolean # Whether it takes effect now.
---@field diff? string # What changed since it was trusted, as a unified diff; absent when nothing did.
---@field path string # Its path in the workspace.

---A session's state in one word, the same word in every editor.
---@alias pilotfish.Status "idle"|"thinking"|"running"|"waiting"|"stopping"|"stopped"|"failed"

---How far a step is.
---@alias pilotfish.StepStatus "pending"|"in_progress"|"completed"

---Why a turn ended.
---@alias pilotfish.StopReason "done"|"length"|"refused"|"stepLimit"|"interrupted"|"failed"

---A tool the model called.
---@class pilotfish.ToolCall
---@field callId string # The model's id of the call, which its output answers.
---@field durationMs? integer # How long it took.
---@field exitCode? integer # A command's exit status.
---@field input string # The arguments as the model wrote them.
---@field name string # The tool.
---@field output string # What the model is told. May be cut, and then says so.
---@field outputBytes? integer # The full output's size in bytes, when `output` holds less: `session/output` has the rest.
---@field status pilotfish.ToolStatus # What became of it.
---@field step integer # The model request of the turn that made it, from 0: calls of one answer share it.
---@field title string # One line for people, such as `$ cargo test`.

---What became of a tool call.
---@alias pilotfish.ToolStatus "running"|"done"|"failed"|"refused"|"interrupted"

---Whether what a workspace ships takes effect.
---@alias pilotfish.Trust "unknown"|"trusted"|"refused"

---Answer of `trust/get` and `trust/set`.
---@class pilotfish.TrustState
---@field ships pilotfish.Shipped[] # What the workspace ships that depends on it.
---@field trust pilotfish.Trust # What was said.

---From a prompt until the agent is idle again.
---@alias pilotfish.TurnId string

---A change of a session.
---@alias pilotfish.Update pilotfish.Update.turnStarted|pilotfish.Update.turnEnded|pilotfish.Update.itemStarted|pilotfish.Update.itemDelta|pilotfish.Update.itemChanged|pilotfish.Update.itemEnded|pilotfish.Update.modeChanged|pilotfish.Update.modelChanged|pilotfish.Update.titleChanged|pilotfish.Update.statusChanged|pilotfish.Update.queueChanged|pilotfish.Update.draftChanged|pilotfish.Update.usage|pilotfish.Update.commandChanged|pilotfish.Update.planChanged|pilotfish.Update.approvalOpened|pilotfish.Update.approvalClosed

---A turn began.
---@class pilotfish.Update.turnStarted
---@field at string # RFC 3339.
---@field kind "turnStarted"
---@field turnId pilotfish.TurnId # Its id.

---A turn is over.
---@class pilotfish.Update.turnEnded
---@field at string # RFC 3339.
---@field kind "turnEnded"
---@field stop pilotfish.StopReason # Why it ended.
---@field turnId pilotfish.TurnId # Its id.
---@field usage pilotfish.Usage # What the turn used.

---An item began.
---@class pilotfish.Update.itemStarted
---@field item pilotfish.Item # As it is.
---@field kind "itemStarted"

---Text to append to an open item: a message's words, a tool's output.
---@class pilotfish.Update.itemDelta
---@field itemId pilotfish.ItemId # Whose.
---@field kind "itemDelta"
---@field text string # To append.

---An open item is now this.
---@class pilotfish.Update.itemChanged
---@field item pilotfish.Item # As it is.
---@field kind "itemChanged"

---An item will not change any more, but for one case: words and thoughts of an answer that breaks off afterwards end once more, as
---`broken`.
---@class pilotfish.Update.itemEnded
---@field item pilotfish.Item # As it stays.
---@field kind "itemEnded"

---Another mode.
---@class pilotfish.Update.modeChanged
---@field kind "modeChanged"
---@field mode pilotfish.Mode # The new one.

---Another model.
---@class pilotfish.Update.modelChanged
---@field effort? pilotfish.Effort # The new effort.
---@field kind "modelChanged"
---@field model pilotfish.ModelName # The new one.

---Another title.
---@class pilotfish.Update.titleChanged
---@field kind "titleChanged"
---@field title string # The new one.

---Another status.
---@class pilotfish.Update.statusChanged
---@field kind "statusChanged"
---@field status pilotfish.SessionStatus # The new one.

---What waits changed.
---@class pilotfish.Update.queueChanged
---@field kind "queueChanged"
---@field queue pilotfish.Queued[] # All of it.

---Somebody typed.
---@class pilotfish.Update.draftChanged
---@field kind "draftChanged"
---@field text string # All of it.

---Tokens of the session so far, those of the running turn among them.
---@class pilotfish.Update.usage
---@field context pilotfish.ContextUse # What the model's context is made of.
---@field kind "usage"
---@field usage pilotfish.Usage # The sums.

---A command in the background began, said more, or ended.
---@class pilotfish.Update.commandChanged
---@field command pilotfish.CommandInfo # As it is.
---@field kind "commandChanged"

---The model's plan changed.
---@class pilotfish.Update.planChanged
---@field kind "planChanged"
---@field plan pilotfish.Plan # All of it.

---A question opened.
---@class pilotfish.Update.approvalOpened
---@field approval pilotfish.Approval # The question.
---@field kind "approvalOpened"

---A question is answered.
---@class pilotfish.Update.approvalClosed
---@field approvalId pilotfish.ApprovalId # Which.
---@field by? pilotfish.ConnectionId # Whose answer it was; absent when the turn ended first.
---@field decision pilotfish.Decision # The answer.
---@field kind "approvalClosed"

---Tokens. Providers count; what a provider does not tell stays 0.
---@class pilotfish.Usage
---@field cachedTokens integer # Of these, served from the provider's cache.
---@field contextSize? integer # The model's context size in tokens, if known.
---@field contextTokens integer # Tokens in the model's context after the last step.
---@field cost? integer # What that cost, in millionths of a US dollar, where the configuration knows the model's price.
---@field inputTokens integer # Tokens read, cached ones included.
---@field outputTokens integer # Tokens written, thoughts included.
---@field reasoningTokens integer # Of these, thoughts.

---Answer of `usage/get`.
---@class pilotfish.UsageReport
---@field today pilotfish.Usage # All sessions' of this day.
---@field usage pilotfish.Usage # The session's, or all sessions'.

---The person's prompt.
---@class pilotfish.UserMessage
---@field input pilotfish.InputPart[] # What was typed and attached.

---Parameters of `approval/answer`. Answers questions. The first answer wins; later ones get `alreadyAnswered`. Answers `pilotfish.Answered`.
---@class pilotfish.params.approval_answer
---@field approvalIds pilotfish.ApprovalId[]
---@field decision pilotfish.Decision
---@field note? string

---Parameters of `checkpoint/list`. Lists a workspace's checkpoints. Answers `pilotfish.CheckpointList`.
---@class pilotfish.params.checkpoint_list
---@field workspace string

---Parameters of `checkpoint/restore`. Takes the files back. That makes a checkpoint, so it can be undone. Answers `pilotfish.Restored`.
---@class pilotfish.params.checkpoint_restore
---@field dryRun? boolean
---@field id pilotfish.CheckpointId

---Parameters of `command/list`. Lists a session's background commands. Answers `pilotfish.CommandList`.
---@class pilotfish.params.command_list
---@field sessionId pilotfish.SessionId

---Parameters of `command/read`. Reads a command's output from `offset`, in bytes. Answers `pilotfish.CommandOutput`.
---@class pilotfish.params.command_read
---@field commandId pilotfish.CommandId
---@field offset? integer
---@field sessionId pilotfish.SessionId

---Parameters of `command/stop`. Stops a command and all it started. Answers `pilotfish.Done`.
---@class pilotfish.params.command_stop
---@field commandId pilotfish.CommandId
---@field sessionId pilotfish.SessionId

---Parameters of `command/write`. Writes to a command's input. Answers `pilotfish.Done`.
---@class pilotfish.params.command_write
---@field commandId pilotfish.CommandId
---@field sessionId pilotfish.SessionId
---@field text string

---Parameters of `daemon/status`. What runs, and what is enforced on this machine. Answers `pilotfish.DaemonStatus`.
---@class pilotfish.params.daemon_status

---Parameters of `daemon/stop`. Ends the daemon; with `drain` as soon as no turn runs. Answers `pilotfish.Done`.
---@class pilotfish.params.daemon_stop
---@field drain? boolean

---Parameters of `editor/diagnostics`. A notification: the problems that an editor shows in a file, all of them. Nothing waits for its answer.
---@class pilotfish.params.editor_diagnostics
---@field diagnostics pilotfish.Diagnostic[]
---@field uri string
---@field version? integer

---Parameters of `editor/state`. A notification: what the person looks at. Nothing waits for its answer.
---@class pilotfish.params.editor_state
---@field focused boolean
---@field selection? pilotfish.Range
---@field uri? string
---@field visible? pilotfish.Range

---Parameters of `file/search`. Files whose path fits the query, the best first. Answers `pilotfish.FileMatches`.
---@class pilotfish.params.file_search
---@field limit integer
---@field query string
---@field workspace string

---Parameters of `model/list`. Lists the configured models, or says what is missing. Answers `pilotfish.ModelList`.
---@class pilotfish.params.model_list

---Parameters of `question/answer`. Answers a question of the model. The first answer wins. Answers `pilotfish.Done`.
---@class pilotfish.params.question_answer
---@field choice? integer
---@field itemId pilotfish.ItemId
---@field sessionId pilotfish.SessionId
---@field text? string

---Parameters of `review/accept`. Puts a proposal into the text. Answers `pilotfish.HunkList`.
---@class pilotfish.params.review_accept
---@field hunkIds? pilotfish.HunkId[]
---@field range? pilotfish.LineRange
---@field sessionId? pilotfish.SessionId
---@field turnId? pilotfish.TurnId
---@field uri? string
---@field workspace string

---Parameters of `review/base`. A file's text when its review began. Answers `pilotfish.ReviewBase`.
---@class pilotfish.params.review_base
---@field uri string

---Parameters of `review/keep`. The agent's lines become the person's. Answers `pilotfish.HunkList`.
---@class pilotfish.params.review_keep
---@field hunkIds? pilotfish.HunkId[]
---@field range? pilotfish.LineRange
---@field sessionId? pilotfish.SessionId
---@field turnId? pilotfish.TurnId
---@field uri? string
---@field workspace string

---Parameters of `review/list`. Lists the hunks that wait, of a file or of all. Answers `pilotfish.HunkList`.
---@class pilotfish.params.review_list
---@field uri? string
---@field workspace string

---Parameters of `review/reject`. Drops a proposal. Answers `pilotfish.HunkList`.
---@class pilotfish.params.review_reject
---@field hunkIds? pilotfish.HunkId[]
---@field range? pilotfish.LineRange
---@field sessionId? pilotfish.SessionId
---@field turnId? pilotfish.TurnId
---@field uri? string
---@field workspace string

---Parameters of `review/undo`. The agent's lines go. Answers `pilotfish.HunkList`.
---@class pilotfish.params.review_undo
---@field hunkIds? pilotfish.HunkId[]
---@field range? pilotfish.LineRange
---@field sessionId? pilotfish.SessionId
---@field turnId? pilotfish.TurnId
---@field uri? string
---@field workspace string

---Parameters of `review/unkeep`. Takes a keep back. Answers `pilotfish.HunkList`.
---@class pilotfish.params.review_unkeep
---@field hunkIds? pilotfish.HunkId[]
---@field range? pilotfish.LineRange
---@field sessionId? pilotfish.SessionId
---@field turnId? pilotfish.TurnId
---@field uri? string
---@field workspace string

---Parameters of `rule/list`. Lists every remembered rule that holds here. Answers `pilotfish.RuleList`.
---@class pilotfish.params.rule_list
---@field workspace? string

---Parameters of `rule/preview`. What saving a rule for a question would mean. Answers `pilotfish.RulePreview`.
---@class pilotfish.params.rule_preview
---@field approvalId pilotfish.ApprovalId
---@field rule? pilotfish.Rule

---Parameters of `rule/revoke`. Forgets a rule. Answers `pilotfish.Done`.
---@class pilotfish.params.rule_revoke
---@field ruleId pilotfish.RuleId

---Parameters of `session/archive`. Hides a session from the default list, or shows it again. Answers `pilotfish.Done`.
---@class pilotfish.params.session_archive
---@field archived boolean
---@field sessionId pilotfish.SessionId

---Parameters of `session/attach`. Answers the session's state and sends its updates to this connection from then on. With `afterSeq` the durable updates after it are sent first. Answers `pilotfish.Attached`.
---@class pilotfish.params.session_attach
---@field afterSeq? integer
---@field sessionId pilotfish.SessionId

---Parameters of `session/close`. Interrupts the running turn and lets the session leave memory. It stays in the journal. Answers `pilotfish.Done`.
---@class pilotfish.params.session_close
---@field sessionId pilotfish.SessionId

---Parameters of `session/compact`. Condenses the history now. Answers `pilotfish.Done`.
---@class pilotfish.params.session_compact
---@field sessionId pilotfish.SessionId

---Parameters of `session/complete`. What could complete the text at `offset` (in UTF-16 units): `@` and `/`. Answers `pilotfish.CandidateList`.
---@class pilotfish.params.session_complete
---@field offset integer
---@field sessionId pilotfish.SessionId
---@field text string

---Parameters of `session/delete`. Deletes a session; `restore` takes that back until the next collection. Answers `pilotfish.Done`.
---@class pilotfish.params.session_delete
---@field restore? boolean
---@field sessionId pilotfish.SessionId

---Parameters of `session/detach`. Sends no more updates to this connection. The session goes on. Answers `pilotfish.Done`.
---@class pilotfish.params.session_detach
---@field sessionId pilotfish.SessionId

---Parameters of `session/draft`. Keeps what is typed and not sent, so that any editor can go on with it. Answers `pilotfish.Done`.
---@class pilotfish.params.session_draft
---@field sessionId pilotfish.SessionId
---@field text string

---Parameters of `session/fork`. Opens a session with this one's history up to an item. Answers `pilotfish.SessionOpened`.
---@class pilotfish.params.session_fork
---@field atItem? pilotfish.ItemId
---@field sessionId pilotfish.SessionId

---Parameters of `session/interrupt`. Stops the running command, or the turn. Answers `pilotfish.Done`.
---@class pilotfish.params.session_interrupt
---@field commandId? pilotfish.CommandId
---@field scope pilotfish.InterruptScope
---@field sessionId pilotfish.SessionId

---Parameters of `session/items`. A page of the transcript, oldest first: the `limit` items before `before`, or the newest. Answers `pilotfish.ItemPage`.
---@class pilotfish.params.session_items
---@field before? pilotfish.ItemId
---@field limit integer
---@field sessionId pilotfish.SessionId

---Parameters of `session/list`. Lists sessions, this workspace's first, the latest first; `query` searches the words of transcripts. Answers `pilotfish.SessionList`.
---@class pilotfish.params.session_list
---@field archived? boolean
---@field cursor? string
---@field query? string
---@field workspace? string

---Parameters of `session/new`. Opens a session in a folder (an absolute path or a `file:` URI). The mode is read-only unless said. Answers `pilotfish.SessionOpened`.
---@class pilotfish.params.session_new
---@field effort? pilotfish.Effort
---@field mode? pilotfish.Mode
---@field model? pilotfish.ModelName
---@field title? string
---@field workspace string

---Parameters of `session/output`. A slice of a tool's full output, in bytes. Answers `pilotfish.OutputPage`.
---@class pilotfish.params.session_output
---@field itemId pilotfish.ItemId
---@field limit integer
---@field offset integer
---@field sessionId pilotfish.SessionId

---Parameters of `session/prompt`. Starts a turn, or queues or steers when one runs. Answers as soon as the session took it. Answers `pilotfish.PromptTaken`.
---@class pilotfish.params.session_prompt
---@field delivery? pilotfish.Delivery
---@field input pilotfish.InputPart[]
---@field sessionId pilotfish.SessionId

---Parameters of `session/rename`. Gives a session another title. Answers `pilotfish.Done`.
---@class pilotfish.params.session_rename
---@field sessionId pilotfish.SessionId
---@field title string

---Parameters of `session/requeue`. Changes what a waiting prompt says. Answers `pilotfish.Done`.
---@class pilotfish.params.session_requeue
---@field input pilotfish.InputPart[]
---@field queuedId pilotfish.QueuedId
---@field sessionId pilotfish.SessionId

---Parameters of `session/setMode`. Switches the mode. It holds from the next action on. Answers `pilotfish.Done`.
---@class pilotfish.params.session_setMode
---@field mode pilotfish.Mode
---@field sessionId pilotfish.SessionId

---Parameters of `session/setModel`. Switches the model. It holds from the next turn on. Answers `pilotfish.Done`.
---@class pilotfish.params.session_setModel
---@field effort? pilotfish.Effort
---@field model pilotfish.ModelName
---@field sessionId pilotfish.SessionId

---Parameters of `session/unqueue`. Takes a waiting prompt back. Answers `pilotfish.Done`.
---@class pilotfish.params.session_unqueue
---@field queuedId pilotfish.QueuedId
---@field sessionId pilotfish.SessionId

---Parameters of `trust/get`. What was said of a workspace. Answers `pilotfish.TrustState`.
---@class pilotfish.params.trust_get
---@field workspace string

---Parameters of `trust/set`. Says it. Answers `pilotfish.TrustState`.
---@class pilotfish.params.trust_set
---@field trust pilotfish.Trust
---@field workspace string

---Parameters of `usage/get`. Tokens of a session, or of all. Answers `pilotfish.UsageReport`.
---@class pilotfish.params.usage_get
---@field sessionId? pilotfish.SessionId

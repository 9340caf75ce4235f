--- What a session is, folded from what the daemon says of it. Pure: it never asks, never draws, never waits.

local M = {}

---@class pilotfish.State
---@field session pilotfish.Session
---@field seq integer The last durable update that was folded.
---@field items pilotfish.Item[] The transcript from its oldest loaded item on.
---@field positions table<string, integer> Where in `items` an id stands.
---@field open table<string, true> The items that started and have not ended.
---@field before? string What to ask for the next older page with.
---@field turnId? string The turn that runs.
---@field approvals pilotfish.Approval[]
---@field queue pilotfish.Queued[]
---@field draft string
---@field plan pilotfish.Plan
---@field usage pilotfish.Usage
---@field context pilotfish.ContextUse
---@field commands pilotfish.CommandInfo[]
---@field behind? pilotfish.Attached The snapshot that counts once the updates before it have come.

---@class pilotfish.Change
---@field kind string The kind of the update.
---@field item? string The item it is about.
---@field delta? string What was appended to the item.
---@field update table The update itself.

local function find(list, id)
  for index, entry in ipairs(list) do
    if entry.id == id then
      return index
    end
  end
end

---@param state pilotfish.State
---@param item pilotfish.Item
local function put(state, item)
  local position = state.positions[item.id]
  if not position then
    position = #state.items + 1
    state.positions[item.id] = position
  end
  state.items[position] = item
end

---@param state pilotfish.State
---@param attached pilotfish.Attached
local function take(state, attached)
  state.session = attached.session
  state.turnId = attached.turnId
  state.approvals = attached.approvals
  state.queue = attached.queue
  state.draft = attached.draft
  state.plan = attached.plan
  state.usage = attached.usage
  state.context = attached.context
  state.commands = attached.commands or {}
  state.open = {}
  for _, item in ipairs(attached.openItems) do
    put(state, item)
    state.open[item.id] = true
  end
end

--- A session as it is when one attaches to it for the first time.
---@param attached pilotfish.Attached
---@param page pilotfish.ItemPage The newest items.
---@return pilotfish.State
function M.begin(attached, page)
  local state = { seq = attached.seq, items = {}, positions = {}, open = {}, before = page.before }
  for _, item in ipairs(page.items) do
    put(state, item)
  end
  take(state, attached)
  return state
end

--- A session that one was attached to before. The updates after `state.seq` come first; then the snapshot counts.
---@param state pilotfish.State
---@param attached pilotfish.Attached
---@return boolean now Whether nothing was missed, so that the snapshot counts already.
function M.resume(state, attached)
  if attached.seq <= state.seq then
    take(state, attached)
    state.behind = nil
    return true
  end
  state.behind = attached
  return false
end

--- Puts an older page before what is there.
---@param state pilotfish.State
---@param page pilotfish.ItemPage
function M.prepend(state, page)
  local items = {}
  for _, item in ipairs(page.items) do
    if not state.positions[item.id] then
      table.insert(items, item)
    end
  end
  vim.list_extend(items, state.items)
  state.items, state.positions, state.before = items, {}, page.before
  for position, item in ipairs(items) do
    state.positions[item.id] = position
  end
end

--- The item of an id, if it is loaded.
---@param state pilotfish.State
---@param id string
---@return pilotfish.Item?
function M.item(state, id)
  return state.items[state.positions[id]]
end

local folds = {}

function folds.turnStarted(state, update)
  state.turnId = update.turnId
end

--- What a turn's end makes of the status, until the daemon says it in words.
local after = { interrupted = 'stopped', stepLimit = 'stopped', failed = 'failed' }

function folds.turnEnded(state, update)
  state.turnId, state.open, state.approvals = nil, {}, {}
  state.session.status = { state = after[update.stop] or 'idle', text = '' }
end

function folds.itemStarted(state, update)
  state.open[update.item.id] = true
  -- After a reload the page may already have more of it.
  if not state.positions[update.item.id] then
    put(state, update.item)
  end
  return update.item.id
end

function folds.itemDelta(state, update)
  local item = M.item(state, update.itemId)
  if not item then
    return nil
  end
  local field = item.content.kind == 'toolCall' and 'output' or 'text'
  item.content[field] = (item.content[field] or '') .. update.text
  return item.id, update.text
end

function folds.itemChanged(state, update)
  put(state, update.item)
  return update.item.id
end

function folds.itemEnded(state, update)
  state.open[update.item.id] = nil
  return folds.itemChanged(state, update)
end

function folds.modelChanged(state, update)
  state.session.model, state.session.effort = update.model, update.effort
end

--- The updates that replace what they name: in the session, and in the state.
local replaced = { modeChanged = 'mode', titleChanged = 'title', statusChanged = 'status' }
local replaced_beside = { queueChanged = 'queue', planChanged = 'plan' }

for kind, field in pairs(replaced) do
  folds[kind] = function(state, update)
    state.session[field] = update[field]
  end
end
for kind, field in pairs(replaced_beside) do
  folds[kind] = function(state, update)
    state[field] = update[field]
  end
end

function folds.draftChanged(state, update)
  state.draft = update.text
end

function folds.usage(state, update)
  -- What the model can hold is said once, and holds until it is said anew.
  local size = state.usage and state.usage.contextSize
  state.usage, state.context = update.usage, update.context
  state.usage.contextSize = state.usage.contextSize or size
end

function folds.commandChanged(state, update)
  local position = find(state.commands, update.command.id) or #state.commands + 1
  state.commands[position] = update.command
end

function folds.approvalOpened(state, update)
  local position = find(state.approvals, update.approval.id) or #state.approvals + 1
  state.approvals[position] = update.approval
end

function folds.approvalClosed(state, update)
  local position = find(state.approvals, update.approvalId)
  if position then
    table.remove(state.approvals, position)
  end
end

--- Folds one `session/update`. Answers what changed; nothing when it was known already; and `true` as the second value when
--- updates are missing before it, so that one has to attach again.
---@param state pilotfish.State
---@param params pilotfish.SessionUpdate
---@return pilotfish.Change? change
---@return boolean? gap
function M.update(state, params)
  local update = params.update
  if params.seq then
    if params.seq <= state.seq then
      return nil
    end
    if params.seq > state.seq + 1 then
      return nil, true
    end
    state.seq = params.seq
  end
  local fold = folds[update.kind]
  local item, delta
  if fold then
    item, delta = fold(state, update)
  end
  if state.behind and state.seq >= state.behind.seq then
    take(state, state.behind)
    state.behind = nil
    return { kind = 'resumed', update = update }
  end
  return { kind = update.kind, item = item, delta = delta, update = update }
end

--- Takes over what the list of sessions says of one, which is the last word between two turns.
---@param state pilotfish.State
---@param session pilotfish.Session
function M.listed(state, session)
  if not state.turnId and not state.behind then
    state.session = session
  end
end

--- The questions of the model that nobody answered yet, the oldest first.
---@param state pilotfish.State
---@return pilotfish.Item[]
function M.questions(state)
  local open = {}
  for id in pairs(state.open) do
    local item = M.item(state, id)
    if item and item.content.kind == 'question' then
      table.insert(open, item)
    end
  end
  table.sort(open, function(one, other) return state.positions[one.id] < state.positions[other.id] end)
  return open
end

--- How many things wait for the person.
---@param state pilotfish.State
---@return integer
function M.waiting(state)
  return #state.approvals + #M.questions(state)
end

--- How full the model's context is, in percent, if its size is known.
---@param state pilotfish.State
---@return integer?
function M.percent(state)
  local size = state.usage and state.usage.contextSize
  if size and size > 0 then
    return math.floor(100 * state.usage.contextTokens / size + 0.5)
  end
end

return M

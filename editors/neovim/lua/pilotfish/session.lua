--- The sessions this editor is attached to, and which of them is the current one. It keeps them as the daemon says they are, over
--- lost connections too, and tells its listeners what changed. It draws nothing.
local client = require('pilotfish.client')
local fold = require('pilotfish.fold')
local say = require('pilotfish.say')

local M = {}

--- How many items are asked for at once.
local PAGE = 200

---@alias pilotfish.Listener fun(state: pilotfish.State?, change: pilotfish.Change)

---@type table<string, pilotfish.State>
local states = {}
---@type string?
local current
---@type pilotfish.Listener[]
local listeners = {}

--- An attachment that is under way: what came meanwhile counts after its answer.
---@class pilotfish.Joining
---@field updates pilotfish.SessionUpdate[]
---@field callbacks fun(state: pilotfish.State?)[]

---@type table<string, pilotfish.Joining>
local joining = {}

--- Who waits for a session to be there.
---@type (fun(state: pilotfish.State))[]?
local wanting

---@param state pilotfish.State?
---@param change pilotfish.Change
local function tell(state, change)
  for _, listener in ipairs(listeners) do
    listener(state, change)
  end
end

--- Calls back whenever a session changed. Beside the kinds of updates there are: `attached` and `resumed` (all of it is to be drawn
--- anew), `selected` (it is the current one now), `earlier` (older items are there), `connection` and `changed` (of another session).
---@param listener pilotfish.Listener
function M.on(listener)
  table.insert(listeners, listener)
end

--- The current session, if there is one.
---@return pilotfish.State?
function M.current()
  return current and states[current] or nil
end

--- All of them, the current one first.
---@return pilotfish.State[]
function M.all()
  local others = vim.tbl_filter(function(state) return state.session.id ~= current end, vim.tbl_values(states))
  return vim.list_extend({ M.current() }, others)
end

---@param id string
---@return pilotfish.State?
function M.state(id)
  return states[id]
end

---@param params pilotfish.SessionUpdate
local function received(params)
  local wait = joining[params.sessionId]
  if wait then
    table.insert(wait.updates, params)
    return
  end
  local state = states[params.sessionId]
  if not state then
    return
  end
  local change, gap = fold.update(state, params)
  if gap then
    M.attach(params.sessionId)
  elseif change then
    tell(state, change)
  end
end

---@param id string
---@param state pilotfish.State?
---@param kind? string
local function joined(id, state, kind)
  local wait = joining[id]
  joining[id] = nil
  if state and kind then
    tell(state, { kind = kind, update = {} })
  end
  for _, update in ipairs(state and wait.updates or {}) do
    received(update)
  end
  for _, callback in ipairs(wait.callbacks) do
    callback(state)
  end
end

--- Asks something on the way to a session. The answer is dropped when the way was left meanwhile, as a connection that ends does.
---@param id string
---@param method string
---@param params table
---@param callback fun(answer: table)
local function ask(id, method, params, callback)
  local wait = joining[id]
  client.request(method, params, function(error, answer)
    if joining[id] ~= wait then
      return
    elseif error then
      say.warn(error.message)
      return joined(id)
    end
    callback(answer)
  end)
end

---@param id string
---@param attached pilotfish.Attached
local function read_page(id, attached)
  ask(id, 'session/items', { sessionId = id, limit = PAGE }, function(page)
    states[id] = fold.begin(attached, page)
    joined(id, states[id], 'attached')
  end)
end

--- Attaches to a session, the first time or after something was missed.
---@param id string
---@param callback? fun(state: pilotfish.State?)
function M.attach(id, callback)
  if joining[id] then
    table.insert(joining[id].callbacks, callback)
    return
  end
  joining[id] = { updates = {}, callbacks = { callback } }
  local known = states[id]
  ask(id, 'session/attach', { sessionId = id, afterSeq = known and known.seq }, function(attached)
    if not known then
      return read_page(id, attached)
    end
    local is_whole = fold.resume(known, attached)
    joined(id, known, is_whole and 'resumed' or nil)
  end)
end

--- Makes a session the current one.
---@param id string
---@param callback? fun(state: pilotfish.State?)
function M.select(id, callback)
  local function select(state)
    if state then
      current = id
      tell(state, { kind = 'selected', update = {} })
    end
    if callback then
      callback(state)
    end
  end
  if states[id] then
    return select(states[id])
  end
  M.attach(id, select)
end

--- Opens a session in the workspace and makes it the current one.
---@param callback? fun(state: pilotfish.State?)
function M.new(callback)
  client.request('session/new', { workspace = client.workspace() }, function(error, opened)
    if error then
      say.warn(error.message)
      return callback and callback(nil)
    end
    M.select(opened.session.id, callback)
  end)
end

--- Calls back with the latest session of the workspace, if it has one; with an error when that cannot be found out.
---@param callback fun(error: table?, latest: pilotfish.Session?)
local function latest(callback)
  local workspace = client.workspace()
  client.request('session/list', { workspace = workspace }, function(error, list)
    local first = not error and list.sessions[1] or nil
    callback(error, first and first.workspace == workspace and first or nil)
  end)
end

--- Calls back with the current session. Without one it is the latest of the workspace, or a new one.
---@param callback fun(state: pilotfish.State)
function M.ensure(callback)
  local state = M.current()
  if state then
    return callback(state)
  end
  if wanting then
    table.insert(wanting, callback)
    return
  end
  wanting = { callback }
  local function found(found_state)
    local callbacks = wanting or {}
    wanting = nil
    for _, wants in ipairs(found_state and callbacks or {}) do
      wants(found_state)
    end
  end
  latest(function(error, session)
    if error then
      say.warn(error.message)
      return found(nil)
    elseif session then
      return M.select(session.id, found)
    end
    M.new(found)
  end)
end

local busy = { thinking = true, running = true, waiting = true, stopping = true }

--- Attaches to the workspace's latest session if something goes on in it, so that the status line shows it. Opens nothing.
local function look()
  latest(function(_, session)
    if session and busy[session.status.state] and not current and not wanting then
      M.select(session.id)
    end
  end)
end

---@param state pilotfish.ConnectionState
local function connection_changed(state)
  tell(M.current(), { kind = 'connection', update = {} })
  if state ~= 'ready' then
    -- Answers of a connection that is gone do not come any more.
    local lost = joining
    joining = {}
    for _, wait in pairs(lost) do
      vim.iter(wait.callbacks):each(function(callback) callback(nil) end)
    end
    return
  end
  for id in pairs(states) do
    M.attach(id)
  end
  if not current then
    look()
  end
end

--- Loads an older page of the transcript.
---@param state pilotfish.State
function M.earlier(state)
  if not state.before then
    return
  end
  local params = { sessionId = state.session.id, before = state.before, limit = PAGE }
  client.request('session/items', params, function(error, page)
    if error then
      return say.warn(error.message)
    end
    fold.prepend(state, page)
    tell(state, { kind = 'earlier', update = {} })
  end)
end

--- Sends a message. While a turn runs it waits for its end, or reaches the model at the next step with `steer`.
---@param input pilotfish.InputPart[]
---@param delivery? 'queue'|'steer'
---@param callback? fun(error: table?)
function M.prompt(input, delivery, callback)
  M.ensure(function(state)
    local params = { sessionId = state.session.id, input = input, delivery = delivery }
    client.request('session/prompt', params, function(error)
      if error then
        say.warn(error.message)
      end
      if callback then
        callback(error)
      end
    end)
  end)
end

--- Stops the turn, or the command that runs.
---@param scope 'turn'|'command'
function M.interrupt(scope)
  local state = M.current()
  if not state then
    return say.warn('nothing runs here')
  end
  client.request('session/interrupt', { sessionId = state.session.id, scope = scope })
end

--- Switches the mode; to the other one unless said. It holds from the next action on.
---@param mode? 'read-only'|'agent'
function M.set_mode(mode)
  M.ensure(function(state)
    mode = mode or (state.session.mode == 'agent' and 'read-only' or 'agent')
    client.request('session/setMode', { sessionId = state.session.id, mode = mode }, function(error)
      if error then
        return say.warn(error.message)
      end
      say.say(mode == 'agent' and 'agent mode: it edits files and runs commands, and asks for what is beyond the sandbox'
        or 'read-only mode: it reads and answers, and proposes changes')
    end)
  end)
end

--- Listens to the daemon.
function M.follow()
  client.on('session/update', received)
  client.on('session/changed', function(params)
    local state = states[params.session.id]
    if state then
      fold.listed(state, params.session)
    end
    tell(state, { kind = 'changed', update = params })
  end)
  client.on_state(connection_changed)
  require('pilotfish.status').follow()
end

return M

--- What goes on, for status lines and for other plugins: a line, variables and events. It asks nobody and opens nothing.
local client = require('pilotfish.client')
local config = require('pilotfish.config')
local fold = require('pilotfish.fold')
local say = require('pilotfish.say')
local session = require('pilotfish.session')
local words = require('pilotfish.words')

local M = {}

--- The sign of each mode, so that nobody needs colours to tell them apart.
M.signs = { ['read-only'] = '○', agent = '●' }
M.groups = { ['read-only'] = 'PilotfishModeReadOnly', agent = 'PilotfishModeAgent' }

--- Which questions were told of, so that each is told of once.
local told = {}

--- What is in `vim.g.pilotfish_status`.
---@class pilotfish.StatusData
---@field state string One of the daemon's words, or `starting` or `disconnected`.
---@field text string It for people.
---@field mode? string
---@field title? string
---@field session? string
---@field waiting integer How many things wait for the person.
---@field percent? integer How full the model's context is.

---@return pilotfish.StatusData
function M.data()
  local state = session.current()
  local connection, reason = client.state()
  local data = { state = 'idle', text = 'idle', waiting = 0 }
  if state then
    data = {
      state = state.session.status.state,
      text = words.status(state.session.status),
      mode = state.session.mode,
      title = state.session.title,
      session = state.session.id,
      waiting = 0,
      percent = fold.percent(state),
    }
  end
  for _, attached in ipairs(session.all()) do
    data.waiting = data.waiting + fold.waiting(attached)
  end
  if connection ~= 'ready' and (state or connection == 'starting' or reason) then
    data.state = connection == 'starting' and 'starting' or 'disconnected'
    data.text = data.state
  end
  return data
end

--- A line for the status line.
---@return string
function M.line()
  local data = vim.g.pilotfish_status
  if not data then
    return ''
  end
  local parts = {}
  if data.mode then
    table.insert(parts, M.signs[data.mode] .. ' ' .. data.mode)
  end
  if data.text ~= 'idle' or not data.mode then
    table.insert(parts, data.text)
  end
  return table.concat(parts, ' · ')
end

local function escape(text)
  return (text:gsub('%%', '%%%%'))
end

local function coloured(group, text)
  return ('%%#%s#%s%%*'):format(group, escape(text))
end

--- How full the model's context is, or how much is in it.
---@param state pilotfish.State
local function meter(state)
  local percent = fold.percent(state)
  if percent then
    return { percent .. ' %', percent >= 80 and 'DiagnosticWarn' or 'PilotfishTool' }
  elseif state.usage.contextTokens > 0 then
    return { words.short(state.usage.contextTokens) .. ' tokens', 'PilotfishTool' }
  end
end

---@param state pilotfish.State
local function shown_status(state)
  local connection = client.state()
  if connection ~= 'ready' then
    return connection == 'starting' and 'starting' or 'disconnected'
  end
  local text = words.status(state.session.status)
  return text ~= 'idle' and text or nil
end

--- The line above the transcript: title, mode, status and how full the context is. What has no room is cut, the title first.
---@return string
function M.winbar()
  local view = require('pilotfish.view').of(vim.api.nvim_get_current_buf())
  local state = view and session.state(view.session)
  if not state then
    return ''
  end
  local mode, width = state.session.mode, vim.api.nvim_win_get_width(0)
  local status = shown_status(state)
  local pieces = { { (M.signs[mode] or '') .. ' ' .. mode, M.groups[mode] or 'Normal' } }
  if status then
    local group = fold.waiting(state) > 0 and 'PilotfishApproval' or 'PilotfishTool'
    table.insert(pieces, { words.fitting(status, math.floor(width * 0.6)), group })
  end
  table.insert(pieces, (meter(state)))
  local room, right = width - 3, {}
  for _, piece in ipairs(pieces) do
    room = room - vim.api.nvim_strwidth(piece[1]) - 3
    if room > 0 then
      table.insert(right, coloured(piece[2], piece[1]))
    end
  end
  local title = room > 4 and words.fitting(state.session.title, room) or ''
  return ' ' .. coloured('Title', title) .. '%= ' .. table.concat(right, ' · ') .. ' '
end

local function event(name, data)
  vim.api.nvim_exec_autocmds('User', { pattern = name, modeline = false, data = data })
end

local function publish()
  local data = M.data()
  if not vim.deep_equal(vim.g.pilotfish_status, data) then
    vim.g.pilotfish_status = data
    event('PilotfishStatus', data)
    vim.cmd.redrawstatus({ bang = true })
  end
end

--- Tells of something that waits, once.
local function tell(id, data, says)
  if told[id] then
    return
  end
  told[id] = true
  event('PilotfishApproval', data)
  if config.get('notify') ~= 'off' then
    say.say(says .. ' (:Pilotfish approve)')
  end
end

---@param state pilotfish.State
local function tell_waiting(state)
  for _, approval in ipairs(state.approvals) do
    tell(approval.id, { approval = approval }, 'needs you: ' .. approval.title)
  end
  for _, item in ipairs(fold.questions(state)) do
    tell(state.session.id .. '.' .. item.id, { question = item.content }, 'asks you: ' .. words.one_line(item.content.text))
  end
end

local asks = { approvalOpened = true, itemStarted = true, attached = true, resumed = true }

local function follow_change(state, change)
  if state and asks[change.kind] then
    tell_waiting(state)
  end
  if state and change.kind == 'approvalClosed' then
    event('PilotfishApproval', { closed = change.update.approvalId, decision = change.update.decision })
  end
  if change.kind == 'turnEnded' and state then
    event('PilotfishTurnDone', { session = state.session.id, stop = change.update.stop, title = state.session.title })
    if config.get('notify') == 'done' and state.session.id == (session.current() or state).session.id then
      say.say(('%s: %s'):format(state.session.title, change.update.stop))
    end
  end
  if change.kind ~= 'itemDelta' then
    publish()
  end
end

--- Keeps the variables true from now on.
function M.follow()
  session.on(follow_change)
end

return M

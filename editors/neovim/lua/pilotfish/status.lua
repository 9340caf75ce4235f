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
      waiting = fold.waiting(state),
      percent = fold.percent(state),
    }
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
  local mode = state.session.mode
  local pieces = { { (M.signs[mode] or '') .. ' ' .. mode, M.groups[mode] or 'Normal' } }
  local room = vim.api.nvim_win_get_width(0) - 4 - vim.api.nvim_strwidth(pieces[1][1])
  local status, size = shown_status(state), meter(state)
  if status then
    local text = words.fitting(status, math.max(room - 3, 8))
    table.insert(pieces, { text, fold.waiting(state) > 0 and 'PilotfishApproval' or 'PilotfishTool' })
    room = room - vim.api.nvim_strwidth(text) - 3
  end
  if size and room >= #size[1] + 3 then
    table.insert(pieces, size)
    room = room - #size[1] - 3
  end
  local right = vim.tbl_map(function(piece)
    return coloured(piece[2], piece[1])
  end, pieces)
  local title = room >= 5 and words.fitting(state.session.title, room - 1) or ''
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

---@param state pilotfish.State
local function tell_waiting(state)
  for _, approval in ipairs(state.approvals) do
    if not told[approval.id] then
      told[approval.id] = true
      event('PilotfishApproval', { approval = approval })
      if config.get('notify') ~= 'off' then
        say.say(('needs you: %s (:Pilotfish approve)'):format(approval.title))
      end
    end
  end
  for _, item in ipairs(fold.questions(state)) do
    if not told[item.id] then
      told[item.id] = true
      event('PilotfishApproval', { question = item.content })
      if config.get('notify') ~= 'off' then
        say.say(('asks you: %s (:Pilotfish approve)'):format(words.one_line(item.content.text)))
      end
    end
  end
end

local asks = { approvalOpened = true, itemStarted = true, attached = true, resumed = true }
local ends = { approvalClosed = true }

local function follow_change(state, change)
  if state and asks[change.kind] then
    tell_waiting(state)
  end
  if state and ends[change.kind] then
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

--- Lists to choose from, by `vim.ui.select`, so that any picker shows them. Each has a kind of its own. They open when the person asks.
local client = require('pilotfish.client')
local composer = require('pilotfish.composer')
local say = require('pilotfish.say')
local session = require('pilotfish.session')
local words = require('pilotfish.words')

local M = {}

--- One thing to choose: what it says, and what it does.
---@class pilotfish.Choice
---@field text string
---@field run? fun()

---@param kind string
---@param prompt string
---@param choices pilotfish.Choice[]
local function choose(kind, prompt, choices)
  vim.ui.select(choices, {
    prompt = prompt,
    kind = 'pilotfish.' .. kind,
    format_item = function(choice)
      return choice.text
    end,
  }, function(choice)
    if choice and choice.run then
      choice.run()
    end
  end)
end

--- Asks the daemon; an error is said, an answer given on.
local function ask(method, params, callback)
  client.request(method, params, function(error, result)
    if error then
      return say.warn(error.message)
    end
    callback(result)
  end)
end

local function open_chat()
  require('pilotfish.chat').open(true)
end

--- Chooses another session, the workspace's first. With a query only those in which it occurs.
---@param query? string
---@param cursor? string
function M.sessions(query, cursor)
  local workspace = client.workspace()
  query = query and query ~= '' and query or nil
  ask('session/list', { workspace = workspace, query = query, cursor = cursor }, function(list)
    local choices = {}
    if not cursor then
      table.insert(choices, { text = '+ new session', run = function() session.new(open_chat) end })
    end
    for _, entry in ipairs(list.sessions) do
      local where = entry.workspace ~= workspace and ' · ' .. vim.fn.fnamemodify(entry.workspace, ':~') or ''
      local state = entry.status.state ~= 'idle' and ' · ' .. words.status(entry.status) or ''
      table.insert(choices, {
        text = entry.title .. state .. where,
        run = function() session.select(entry.id, open_chat) end,
      })
    end
    if list.nextCursor then
      table.insert(choices, { text = '⋯ older', run = function() M.sessions(query, list.nextCursor) end })
    end
    choose('session', 'Sessions', choices)
  end)
end

---@param state pilotfish.State
local function rename(state)
  vim.ui.input({ prompt = 'Title: ', default = state.session.title }, function(title)
    if title and vim.trim(title) ~= '' then
      client.request('session/rename', { sessionId = state.session.id, title = title })
    end
  end)
end

--- What can be done with the current session.
function M.session()
  session.ensure(function(state)
    local id = { sessionId = state.session.id }
    local function with(more)
      return vim.tbl_extend('force', id, more)
    end
    choose('session.action', state.session.title, {
      { text = 'Rename', run = function() rename(state) end },
      { text = 'Continue in a copy', run = function()
        ask('session/fork', id, function(opened) session.select(opened.session.id, open_chat) end)
      end },
      { text = 'Condense the history', run = function() client.request('session/compact', id) end },
      { text = 'Archive', run = function()
        ask('session/archive', with({ archived = true }), function() session.leave(state.session.id) end)
      end },
      { text = 'Delete', run = function()
        ask('session/delete', id, function()
          session.leave(state.session.id)
          M.undelete(state)
        end)
      end },
    })
  end)
end

--- Offers to take a deletion back.
---@param state pilotfish.State
function M.undelete(state)
  choose('session.deleted', ('“%s” is deleted'):format(state.session.title), {
    { text = 'Good' },
    { text = 'Take it back', run = function()
      ask('session/delete', { sessionId = state.session.id, restore = true }, function()
        session.select(state.session.id)
      end)
    end },
  })
end

---@param state pilotfish.State
---@param model pilotfish.ModelInfo
local function set_model(state, model)
  local function set(effort)
    client.request('session/setModel', { sessionId = state.session.id, model = model.name, effort = effort })
  end
  if #model.efforts == 0 then
    return set()
  end
  local choices = { { text = 'its usual', run = set } }
  for _, effort in ipairs(model.efforts) do
    table.insert(choices, { text = effort, run = function() set(effort) end })
  end
  choose('effort', 'How hard it thinks', choices)
end

--- Chooses the model, and how hard it thinks.
function M.model()
  session.ensure(function(state)
    ask('model/list', {}, function(list)
      if #list.models == 0 then
        return say.warn(list.problem or 'no model is configured')
      end
      local choices = {}
      for _, model in ipairs(list.models) do
        local size = model.context and (' · %s tokens'):format(words.short(model.context)) or ''
        local current = model.name == state.session.model and ' · now' or ''
        local run = function() set_model(state, model) end
        table.insert(choices, { text = model.name .. size .. current, run = run })
      end
      choose('model', 'Models', choices)
    end)
  end)
end

---@param rule pilotfish.Rule
local function rule_text(rule)
  local what = #rule.argv > 0 and table.concat(rule.argv, ' ') .. (rule.prefix and ' …' or '') or 'files'
  local grants = #rule.grants > 0 and ' · ' .. table.concat(rule.grants, ', ') or ''
  local where = rule.scope == 'everywhere' and ' · everywhere' or ''
  local used = (' · %d × used'):format(rule.hits)
  return what .. grants .. where .. used
end

--- Lists the remembered answers; a chosen one can be forgotten.
function M.rules()
  ask('rule/list', { workspace = client.workspace() }, function(list)
    if #list.rules == 0 then
      return say.say('nothing is remembered here: every question is asked')
    end
    local choices = {}
    for _, rule in ipairs(list.rules) do
      table.insert(choices, { text = rule_text(rule), run = function()
        choose('rule.action', ('%s · in %s'):format(rule_text(rule), vim.fn.fnamemodify(rule.file or '', ':~')), {
          { text = 'Leave it as it is' },
          { text = 'Forget it, and ask again', run = function()
            ask('rule/revoke', { ruleId = rule.id }, function() say.say('it is asked again') end)
          end },
        })
      end })
    end
    choose('rule', 'Remembered answers', choices)
  end)
end

---@param state pilotfish.State
---@param command pilotfish.CommandInfo
local function show_command(state, command)
  ask('command/read', { sessionId = state.session.id, commandId = command.id }, function(output)
    require('pilotfish.chat').float('$ ' .. command.command, output.text, '')
  end)
end

---@param state pilotfish.State
---@param command pilotfish.CommandInfo
local function command_actions(state, command)
  local id = { sessionId = state.session.id, commandId = command.id }
  local choices = { { text = 'Show what it said', run = function() show_command(state, command) end } }
  if not command.exitCode then
    table.insert(choices, { text = 'Stop it', run = function() client.request('command/stop', id) end })
    table.insert(choices, { text = 'Write to it', run = function()
      vim.ui.input({ prompt = 'Write: ' }, function(text)
        if text then
          client.request('command/write', vim.tbl_extend('force', id, { text = text .. '\n' }))
        end
      end)
    end })
  end
  choose('command.action', '$ ' .. command.command, choices)
end

--- Lists the commands in the background, to be read and stopped.
function M.commands()
  session.ensure(function(state)
    if #state.commands == 0 then
      return say.say('no command runs in the background')
    end
    local choices = {}
    for _, command in ipairs(state.commands) do
      local ended = command.exitCode and (' · ended with %d'):format(command.exitCode) or ' · runs'
      local said = (' · %s bytes'):format(words.short(command.outputBytes))
      table.insert(choices, {
        text = '$ ' .. words.one_line(command.command) .. ended .. said,
        run = function() command_actions(state, command) end,
      })
    end
    choose('command', 'Commands in the background', choices)
  end)
end

---@param state pilotfish.State
---@param queued pilotfish.Queued
---@param text string
local function queue_actions(state, queued, text)
  local id = { sessionId = state.session.id, queuedId = queued.id }
  choose('queue.action', text, {
    { text = 'Change it', run = function() composer.edit(state, queued) end },
    { text = 'Take it back', run = function() client.request('session/unqueue', id) end },
    { text = 'Send it now, into the running turn', run = function()
      ask('session/unqueue', id, function() session.prompt(queued.input, 'steer') end)
    end },
  })
end

--- Lists the messages that wait, to be changed or taken back.
function M.queue()
  session.ensure(function(state)
    if #state.queue == 0 then
      return say.say('no message waits')
    end
    local choices = {}
    for _, queued in ipairs(state.queue) do
      local text, attached = words.prompt(queued.input, state.session.workspace)
      text = words.one_line(text .. ' ' .. attached)
      table.insert(choices, { text = text, run = function() queue_actions(state, queued, text) end })
    end
    choose('queue', 'Messages that wait', choices)
  end)
end

---@param checkpoint pilotfish.Checkpoint
---@param workspace string
local function restore(checkpoint, workspace)
  ask('checkpoint/restore', { id = checkpoint.id, dryRun = true }, function(dry)
    if #dry.changes == 0 then
      return say.say('the files are as they were then')
    end
    local lines = {}
    for _, change in ipairs(dry.changes) do
      table.insert(lines, { text = ('%s: %s'):format(words.path(change.uri, workspace), change.change) })
    end
    local go = { text = ('Take back %s'):format(words.count(#dry.changes, 'file')), run = function()
      ask('checkpoint/restore', { id = checkpoint.id }, function()
        vim.cmd.checktime()
        say.say('done; the first entry of :Pilotfish restore takes that back')
      end)
    end }
    choose('restore.preview', 'Would change', vim.list_extend({ { text = 'Leave all as it is' }, go }, lines))
  end)
end

--- Takes the files back to a point before a turn. What would change is shown first.
function M.restore()
  local workspace = client.workspace()
  ask('checkpoint/list', { workspace = workspace }, function(list)
    if #list.checkpoints == 0 then
      return say.say('nothing to take back to: no turn changed a file here')
    end
    local choices = {}
    for _, checkpoint in ipairs(list.checkpoints) do
      local at = checkpoint.at:gsub('T', ' '):gsub('%..*$', '')
      local run = function() restore(checkpoint, workspace) end
      table.insert(choices, { text = ('%s · %s UTC'):format(checkpoint.title, at), run = run })
    end
    choose('checkpoint', 'Take the files back to', choices)
  end)
end

return M

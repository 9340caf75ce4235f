--- Lists to choose from, by `vim.ui.select`, so that any picker shows them. Each has a kind of its own. They open when the person asks.
local client = require('pilotfish.client')
local composer = require('pilotfish.composer')
local say = require('pilotfish.say')
local session = require('pilotfish.session')
local words = require('pilotfish.words')

local M = {}

--- One thing to choose: what it says, and what it does.
---@class pilotfish.Offer
---@field text string
---@field run? fun()

--- Lets the person choose.
---@param kind string
---@param prompt string
---@param choices pilotfish.Offer[]
function M.choose(kind, prompt, choices)
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

---@param choices pilotfish.Offer[]
---@param text string
---@param run? fun()
local function add(choices, text, run)
  table.insert(choices, { text = text, run = run })
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
      add(choices, '+ new session', function() session.new(open_chat) end)
    end
    for _, entry in ipairs(list.sessions) do
      local where = entry.workspace ~= workspace and ' · ' .. vim.fn.fnamemodify(entry.workspace, ':~') or ''
      local state = entry.status.state ~= 'idle' and ' · ' .. words.status(entry.status) or ''
      add(choices, entry.title .. state .. where, function() session.select(entry.id, open_chat) end)
    end
    if list.nextCursor then
      add(choices, '⋯ older', function() M.sessions(query, list.nextCursor) end)
    end
    M.choose('session', 'Sessions', choices)
  end)
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
    add(choices, effort, function() set(effort) end)
  end
  M.choose('effort', 'How hard it thinks', choices)
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
        add(choices, model.name .. size .. current, function() set_model(state, model) end)
      end
      M.choose('model', 'Models', choices)
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
      add(choices, rule_text(rule), function()
        M.choose('rule.action', ('%s · in %s'):format(rule_text(rule), vim.fn.fnamemodify(rule.file or '', ':~')), {
          { text = 'Leave it as it is' },
          { text = 'Forget it, and ask again', run = function()
            ask('rule/revoke', { ruleId = rule.id }, function() say.say('it is asked again') end)
          end },
        })
      end)
    end
    M.choose('rule', 'Remembered answers', choices)
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
    add(choices, 'Stop it', function() client.request('command/stop', id) end)
    add(choices, 'Write to it', function()
      vim.ui.input({ prompt = 'Write: ' }, function(text)
        if text then
          client.request('command/write', vim.tbl_extend('force', id, { text = text .. '\n' }))
        end
      end)
    end)
  end
  M.choose('command.action', '$ ' .. command.command, choices)
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
      local text = '$ ' .. words.one_line(command.command) .. ended .. said
      add(choices, text, function() command_actions(state, command) end)
    end
    M.choose('command', 'Commands in the background', choices)
  end)
end

---@param state pilotfish.State
---@param queued pilotfish.Queued
---@param text string
local function queue_actions(state, queued, text)
  local id = { sessionId = state.session.id, queuedId = queued.id }
  M.choose('queue.action', text, {
    { text = 'Change it', run = function() composer.edit(state, queued) end },
    { text = 'Take it back', run = function() client.request('session/unqueue', id) end },
    { text = 'Send it now, into the running turn', run = function()
      -- It may have gone out while the list was open.
      if not vim.tbl_contains(state.queue, function(other) return other.id == queued.id end, { predicate = true }) then
        return say.say('it waits no more')
      end
      -- It waits until it was taken, so that it is never lost.
      local params = { sessionId = id.sessionId, input = queued.input, delivery = 'steer' }
      ask('session/prompt', params, function() client.request('session/unqueue', id) end)
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
      add(choices, text, function() queue_actions(state, queued, text) end)
    end
    M.choose('queue', 'Messages that wait', choices)
  end)
end

---@param checkpoint pilotfish.Checkpoint
---@param workspace string
local function restore(checkpoint, workspace)
  ask('checkpoint/restore', { id = checkpoint.id, dryRun = true }, function(dry)
    if #dry.changes == 0 then
      return say.say('the files are as they were then')
    end
    local choices = { { text = 'Leave all as it is' } }
    add(choices, ('Take back %s'):format(words.count(#dry.changes, 'file')), function()
      ask('checkpoint/restore', { id = checkpoint.id }, function()
        vim.cmd.checktime()
        say.say('done; the first entry of :Pilotfish restore takes that back')
      end)
    end)
    for _, change in ipairs(dry.changes) do
      add(choices, ('%s: %s'):format(words.path(change.uri, workspace), change.change))
    end
    M.choose('restore.preview', 'Would change', choices)
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
      add(choices, ('%s · %s UTC'):format(checkpoint.title, at), function() restore(checkpoint, workspace) end)
    end
    M.choose('checkpoint', 'Take the files back to', choices)
  end)
end

--- Answers a question of the model, with one of its choices or in words.
---@param state pilotfish.State
---@param item pilotfish.Item
function M.question(state, item)
  local function send(answer)
    local params = vim.tbl_extend('error', { sessionId = state.session.id, itemId = item.id }, answer)
    client.request('question/answer', params)
  end
  local choices = {}
  for index, choice in ipairs(item.content.choices) do
    add(choices, choice, function() send({ choice = index - 1 }) end)
  end
  add(choices, 'Something else…', function()
    vim.ui.input({ prompt = 'Answer: ' }, function(text)
      if text and vim.trim(text) ~= '' then
        send({ text = text })
      end
    end)
  end)
  add(choices, 'Go on without an answer', function() send({}) end)
  M.choose('question', item.content.text, choices)
end

return M

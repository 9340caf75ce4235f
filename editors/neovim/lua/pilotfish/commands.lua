--- `:Pilotfish`: one table of what can follow it. Each entry loads its part when it is first used.
local M = {}

--- What was typed: the command's name is taken off.
---@class pilotfish.Invocation
---@field words string[] The arguments.
---@field text string Them as they were typed.
---@field bang boolean
---@field range {first: integer, last: integer}? Lines from 1, both inside.
---@field count integer? A single number before the command.

---@class pilotfish.Entry
---@field help string A line for people.
---@field run fun(invocation: pilotfish.Invocation)
---@field complete? string[] What can follow it.

---@param verb 'keep'|'undo'|'unkeep'|'accept'|'reject'
---@return fun(invocation: pilotfish.Invocation)
local function review(verb)
  return function(invocation)
    require('pilotfish.review').decide(verb, {
      all = invocation.words[1] == 'all',
      file = invocation.bang,
      range = invocation.range,
    })
  end
end

---@param direction 1|-1
---@return fun(invocation: pilotfish.Invocation)
local function jump(direction)
  return function(invocation)
    local count = tonumber(invocation.words[1]) or invocation.count or 1
    require('pilotfish.review').jump(direction * count)
  end
end

---@param part string
---@param name string
---@return fun(invocation: pilotfish.Invocation)
local function call(part, name)
  return function() require('pilotfish.' .. part)[name]() end
end

---@type table<string, pilotfish.Entry>
M.entries = {
  chat = { help = 'show the chat, or hide it', run = call('chat', 'toggle') },
  ask = {
    help = 'ask something; a range goes along with it',
    run = function(invocation) require('pilotfish.chat').ask(invocation.text, invocation.range) end,
  },
  add = {
    help = 'add the file, or a range of it, to what the next message is about',
    run = function(invocation) require('pilotfish.context').add(invocation.range) end,
  },
  mode = {
    help = 'switch between read-only and agent',
    complete = { 'read-only', 'agent' },
    run = function(invocation) require('pilotfish.session').set_mode(invocation.words[1]) end,
  },
  keep = { help = 'keep the hunk or range here; ! the file; all everything', complete = { 'all' }, run = review('keep') },
  undo = { help = 'undo the hunk or range here; ! the file; all everything', complete = { 'all' }, run = review('undo') },
  unkeep = { help = 'take a keep back: here, ! of the file, all', complete = { 'all' }, run = review('unkeep') },
  accept = { help = 'put a proposal into the text: here, ! the file, all', complete = { 'all' }, run = review('accept') },
  reject = { help = 'drop a proposal: here, ! the file, all', complete = { 'all' }, run = review('reject') },
  next = { help = 'go to the next hunk; with a count that many on', run = jump(1) },
  prev = { help = 'go to the hunk before', run = jump(-1) },
  old = { help = 'show what stood here before, all of it', run = call('old', 'open') },
  diff = { help = 'compare the file with how it was, in a tab', run = call('diff', 'open') },
  review = {
    help = 'list all hunks in the quickfix window; file: those here in the location list',
    complete = { 'file' },
    run = function(invocation) require('pilotfish.quickfix').open(invocation.words[1] == 'file') end,
  },
  trust = {
    help = 'say whether what this folder ships may take effect',
    complete = { 'trusted', 'refused', 'unknown' },
    run = function(invocation) require('pilotfish.trust').say(invocation.words[1]) end,
  },
  restore = { help = 'take the files back to before a turn; shows first what would change', run = call('picker', 'restore') },
  approve = { help = 'answer what pilotfish asks', run = call('approve', 'open') },
  rules = { help = 'list the remembered answers, and take them back', run = call('picker', 'rules') },
  sessions = {
    help = 'choose another session; words after it are searched for',
    run = function(invocation) require('pilotfish.picker').sessions(invocation.text) end,
  },
  model = { help = 'choose the model', run = call('picker', 'model') },
  commands = { help = 'list the commands in the background, and stop them', run = call('picker', 'commands') },
  queue = { help = 'list the messages that wait', run = call('picker', 'queue') },
  stop = {
    help = 'stop the running command; ! stops the turn',
    run = function(invocation) require('pilotfish.session').interrupt(invocation.bang and 'turn' or 'command') end,
  },
  log = { help = 'show what went wrong', run = call('log', 'open') },
  restart = { help = 'connect to the daemon anew', run = call('client', 'restart') },
}

---@return string[]
local function names()
  local found = vim.tbl_keys(M.entries)
  table.sort(found)
  return found
end

--- Carries `:Pilotfish …` out.
---@param arguments vim.api.keyset.create_user_command.command_args
function M.run(arguments)
  require('pilotfish.start').begin()
  local name, text = arguments.args:match('^%s*(%S+)%s*(.*)$')
  if not name then
    return require('pilotfish.explain').open()
  end
  -- `:Pilotfish! keep` and `:Pilotfish keep!` are the same.
  local bare = name:gsub('!$', '')
  local entry = M.entries[bare]
  if not entry then
    return require('pilotfish.say').warn(('there is no :Pilotfish %s; :Pilotfish says what there is'):format(name))
  end
  local range = arguments.range > 0 and { first = arguments.line1, last = arguments.line2 } or nil
  entry.run({
    words = vim.split(text, '%s+', { trimempty = true }),
    text = text,
    bang = arguments.bang or bare ~= name,
    range = range,
    count = arguments.range == 1 and arguments.line2 or nil,
  })
end

--- Completes the command line.
---@param start string what is typed of the word
---@param line string
---@return string[]
function M.complete(start, line)
  local before = line:sub(1, #line - #start):match('Pilotfish!?%s+(.*)$') or ''
  local words = vim.split(before, '%s+', { trimempty = true })
  local entry = M.entries[(words[1] or ''):gsub('!$', '')]
  local candidates = #words == 0 and names() or #words == 1 and entry and entry.complete or {}
  return vim.tbl_filter(function(candidate) return vim.startswith(candidate, start) end, candidates)
end

return M

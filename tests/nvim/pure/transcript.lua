-- What items look like, without a daemon and without a screen: `nvim -l transcript.lua`.
local tail = require('pilotfish.tail')
local transcript = require('pilotfish.transcript')

local look = { root = '/w' }

local function check(what, got, wanted)
  assert(vim.deep_equal(got, wanted), ('%s: %s, not %s'):format(what, vim.inspect(got), vim.inspect(wanted)))
end

local function lines(content, before, is_open)
  return transcript.block({ id = 'i1', content = content }, before, look, is_open).lines
end

local function tool(more)
  local content = { kind = 'toolCall', name = 'shell', title = '$ make', input = '', output = '', status = 'done' }
  return vim.tbl_extend('force', content, more or {})
end

-- Messages are apart from what is before, tools stand together.
local selection = { type = 'selection', uri = 'file:///w/a.rs', range = { start = { line = 4, character = 0 }, ['end'] = { line = 6, character = 0 } } }
check('a prompt', lines({ kind = 'userMessage', input = { { type = 'text', text = 'Why?\n' }, selection } }, 'tool'), { '', 'You', 'Why?', '@a.rs:5-6' })
check('a tool', lines(tool(), 'text'), { '', '  ✓ $ make' })
check('a tool after a tool', lines(tool({ status = 'failed', exitCode = 2, durationMs = 61000 }), 'tool'), { '  ✗ $ make · exit 2 · 1:01' })
check('no words yet', lines({ kind = 'agentMessage', text = '', completion = 'open' }, 'text'), {})
check('for the model only', lines({ kind = 'notice', text = 'x', audience = 'model' }, 'text'), {})
check('a newer kind', lines({ kind = 'surprise' }, nil), { '  · surprise' })

-- A long output is folded, and only its end is there.
local long = {}
for number = 1, 500 do
  table.insert(long, 'line ' .. number)
end
local block = transcript.block({ id = 'i1', content = tool({ output = table.concat(long, '\n') .. '\n' }) }, nil, look)
check('its size', { #block.lines, block.fold }, { 102, 0 })
check('its end', block.lines[102], '  │ line 500')
check('that there is more', block.lines[2], '  │ ⋯ more before this: K shows all')
block = transcript.block({ id = 'i1', content = tool({ output = table.concat(long, '\n'), status = 'running' }) }, nil, look, true)
check('while it runs', { #block.lines, block.fold }, { 10, nil })

-- A message grows at its end only.
local item = { id = 'i1', content = { kind = 'agentMessage', text = 'one\ntwo', completion = 'open' } }
block = transcript.block(item, 'text', look, true)
check('from there on', transcript.append(block, item, ' and\nthree'), 2)
check('with this', block.lines, { '', 'one', 'two and', 'three' })

-- Equal questions are one.
local function approval(id, detail)
  return { id = id, title = 't', detail = detail, cwd = '/w', reason = 'r', grants = {}, segments = {}, edits = {} }
end
local groups = tail.groups({ approval('a', 'x'), approval('b', 'y'), approval('c', 'x') })
check('groups', { #groups, groups[1].ids }, { 2, { 'a', 'c' } })
io.stdout:write('ok\n')

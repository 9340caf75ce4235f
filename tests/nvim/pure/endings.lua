-- Ends of lines where nobody expects them, without a daemon and without a screen: `nvim -l endings.lua`.
local ghost = require('pilotfish.ghost')
local transcript = require('pilotfish.transcript')

local function check(what, got, wanted)
  assert(vim.deep_equal(got, wanted), ('%s: %s, not %s'):format(what, vim.inspect(got), vim.inspect(wanted)))
end

-- A path may have them in it: they are shown, and what is coloured covers them.
local edit = {
  uri = 'file:///w/a%0Ab%0D.rs',
  path = 'a\nb\r.rs',
  added = 1,
  removed = 1,
  state = 'applied',
  change = { kind = 'changed' },
  hunks = { { oldText = 'one\r\n', newText = 'two\r\n', newRange = { start = 0, ['end'] = 1 } } },
}
local drawing = require('pilotfish.drawing').new()
drawing:edit(edit, { root = '/w' }, '')
drawing:changes(edit)
local block = drawing:block('i1', 'tool')
check('a path', block.lines, { '✎ a\\u{a}b\\u{d}.rs +1 −1 · 1 hunk', '    -one', '    +two' })
check('its colour', { block.spans[1].from, block.spans[1].to }, { 0, #'✎ a\\u{a}b\\u{d}.rs' })
check('what is beside it', block.spans[2].from, #'✎ a\\u{a}b\\u{d}.rs')

-- So may a path that goes along with a message, and the title of a tool.
local attached = { type = 'file', uri = 'file:///w/a%0Ab.rs' }
local content = { kind = 'userMessage', input = { { type = 'text', text = 'Why?' }, attached } }
local tool = { kind = 'toolCall', name = 'shell', title = '$ a\nb', input = '', output = '', status = 'done' }
for _, shown in ipairs({ content, tool }) do
  local lines = transcript.block({ id = 'i1', content = shown }, nil, { root = '/w' }).lines
  vim.api.nvim_buf_set_lines(0, 0, -1, true, lines)
  assert(not table.concat(lines):find('[\r\n]'), vim.inspect(lines))
end

-- Lines end in one way or the other, and neither end is drawn.
check('of one kind', ghost.split('a\nb\n'), { 'a', 'b' })
check('of the other', ghost.split('a\r\nb\r\n'), { 'a', 'b' })
check('an empty line', ghost.split('\r\n'), { '' })
check('no end', ghost.split('a\r\nb'), { 'a', 'b' })
check('no text', ghost.split(''), {})
io.stdout:write('ok\n')

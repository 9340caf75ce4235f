--- One session's transcript in a buffer: which lines belong to which item. It changes no line that did not change, draws only what
--- is seen, and moves a cursor only when that stood on the last line.

local fold = require('pilotfish.fold')
local markdown = require('pilotfish.markdown')
local tail = require('pilotfish.tail')
local transcript = require('pilotfish.transcript')

---@class pilotfish.View
---@field buffer integer
---@field session string Whose it is.
---@field look pilotfish.Look
---@field blocks pilotfish.Block[] The one that loads more, the items, the tail.
---@field starts integer[] The first line of each block, from 0.
---@field first integer Where the items begin among the blocks.
---@field has_markdown boolean
local View = {}
View.__index = View

local namespace = vim.api.nvim_create_namespace('pilotfish.chat')

---@type table<integer, pilotfish.View>
local views = {}

--- One that shows nothing yet.
---@param buffer integer
---@param session pilotfish.Session
---@return pilotfish.View
function View.new(buffer, session)
  local look = { root = session.workspace }
  local view = { buffer = buffer, session = session.id, look = look, blocks = {}, starts = {}, first = 1 }
  view.has_markdown = markdown.is_there()
  setmetatable(view, View)
  views[buffer] = view
  return view
end

--- The one of a buffer.
---@param buffer integer
---@return pilotfish.View?
function View.of(buffer)
  return views[buffer]
end

--- Forgets it.
function View:drop()
  views[self.buffer] = nil
end

local function followers(buffer)
  local last = vim.api.nvim_buf_line_count(buffer)
  local windows = {}
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    if vim.api.nvim_win_get_cursor(window)[1] == last then
      table.insert(windows, window)
    end
  end
  return windows
end

--- Changes the buffer; whoever read its last line reads its last line after.
function View:change(change)
  local windows = followers(self.buffer)
  vim.bo[self.buffer].modifiable = true
  change()
  vim.bo[self.buffer].modifiable = false
  local last = vim.api.nvim_buf_line_count(self.buffer)
  for _, window in ipairs(windows) do
    if vim.api.nvim_win_get_cursor(window)[1] ~= last then
      vim.api.nvim_win_set_cursor(window, { last, 0 })
    end
  end
end

function View:set(from, to, lines)
  vim.api.nvim_buf_set_lines(self.buffer, from, to, true, lines)
end

--- Computes where the blocks behind one begin.
function View:move(index)
  for at = index + 1, #self.blocks do
    local start = self.starts[at - 1] + #self.blocks[at - 1].lines
    if self.starts[at] == start then
      return
    end
    self.starts[at] = start
  end
end

--- The family of the nearest block before one that shows anything.
function View:before(index)
  for at = index - 1, 1, -1 do
    if #self.blocks[at].lines > 0 then
      return self.blocks[at].family
    end
  end
end

--- Puts a block in the place of one, and changes the lines between what both begin and end with.
function View:replace(index, block)
  local old, start = self.blocks[index], self.starts[index]
  local most = math.min(#old.lines, #block.lines)
  local head, foot = 0, 0
  while head < most and old.lines[head + 1] == block.lines[head + 1] do
    head = head + 1
  end
  while foot < most - head and old.lines[#old.lines - foot] == block.lines[#block.lines - foot] do
    foot = foot + 1
  end
  -- A buffer without a line of ours has one that is not ours.
  local is_empty = self.starts[#self.starts] + #self.blocks[#self.blocks].lines == 0
  self.blocks[index] = block
  if head + foot == #old.lines and head + foot == #block.lines then
    return
  end
  self:change(function()
    local to = is_empty and -1 or start + #old.lines - foot
    self:set(start + head, to, vim.list_slice(block.lines, head + 1, #block.lines - foot))
    self:move(index)
  end)
  if block.fold and not old.fold then
    for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
      self:fold_block(window, index)
    end
    -- What was scrolled away for lines that are folded now has room again.
    for _, window in ipairs(followers(self.buffer)) do
      self:show_end(window)
    end
  end
end

--- Shows the end, and as much before it as there is room for.
---@param window integer
function View:show_end(window)
  vim.api.nvim_win_set_cursor(window, { vim.api.nvim_buf_line_count(self.buffer), 0 })
  vim.api.nvim_win_call(window, function() vim.cmd('normal! zb') end)
end

--- Folds what is to be folded of a block. Folds are made by hand: the editor computes none while one inserts text in some window.
---@param window integer
---@param index integer
function View:fold_block(window, index)
  local block, start = self.blocks[index], self.starts[index]
  vim.api.nvim_win_call(window, function()
    vim.cmd(('silent! %d,%dfold'):format(start + block.fold + 1, start + #block.lines))
  end)
end

--- Folds all of it in a window.
---@param window integer
function View:fold_all(window)
  vim.api.nvim_win_call(window, function() vim.cmd('silent! normal! zE') end)
  for index, block in ipairs(self.blocks) do
    if block.fold then
      self:fold_block(window, index)
    end
  end
end

function View:block(state, position)
  local item = state.items[position]
  local index = self.first + position - 1
  return transcript.block(item, self:before(index), self.look, state.open[item.id])
end

--- Draws all of a session.
---@param state pilotfish.State
function View:reset(state)
  self.blocks, self.starts = {}, {}
  if state.before then
    table.insert(self.blocks, transcript.earlier())
  end
  self.first = #self.blocks + 1
  for position = 1, #state.items do
    table.insert(self.blocks, self:block(state, position))
  end
  table.insert(self.blocks, tail.block(state, fold.questions(state), self:before(#self.blocks + 1), self.look))
  local lines = {}
  for index, block in ipairs(self.blocks) do
    self.starts[index] = #lines
    vim.list_extend(lines, block.lines)
  end
  self:change(function() self:set(0, -1, lines) end)
  for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
    self:fold_all(window)
  end
end

--- Draws an older page before what is there. Whoever reads goes on where they were.
---@param state pilotfish.State
function View:earlier(state)
  local from_end = {}
  for _, window in ipairs(vim.fn.win_findbuf(self.buffer)) do
    from_end[window] = vim.api.nvim_buf_line_count(self.buffer) - vim.api.nvim_win_get_cursor(window)[1]
  end
  self:reset(state)
  for window, lines in pairs(from_end) do
    vim.api.nvim_win_set_cursor(window, { math.max(1, vim.api.nvim_buf_line_count(self.buffer) - lines), 0 })
  end
end

--- Draws an item that is new, or not as it was.
---@param state pilotfish.State
---@param id string
---@param delta? string What was appended to it.
function View:item(state, id, delta)
  local position = state.positions[id]
  local index = self.first + position - 1
  if index == #self.blocks then
    self:insert(state, index)
    return
  end
  local item, old = state.items[position], self.blocks[index]
  local line = delta and transcript.append(old, item, delta)
  if line then
    self:grow(index, line, delta)
    return
  end
  self:replace(index, self:block(state, position))
  -- A message that had no words yet had no gap behind it either.
  if #old.lines == 0 and index + 1 < #self.blocks then
    self:replace(index + 1, self:block(state, position + 1))
  end
end

--- A new item stands before the tail.
function View:insert(state, index)
  local start = self.starts[index]
  table.insert(self.blocks, index, { id = '', family = 'text', lines = {}, spans = {}, places = {}, head = 0 })
  table.insert(self.starts, index, start)
  self:replace(index, self:block(state, index - self.first + 1))
  self:redraw_tail(state)
end

--- Appends to the last line of a block.
function View:grow(index, line, delta)
  local row = self.starts[index] + line
  self:change(function()
    local column = #vim.api.nvim_buf_get_lines(self.buffer, row, row + 1, true)[1]
    vim.api.nvim_buf_set_text(self.buffer, row, column, row, column, vim.split(delta, '\n', { plain = true }))
    if delta:find('\n', 1, true) then
      self:move(index)
    end
  end)
end

--- Draws what stands below the items.
---@param state pilotfish.State
function View:redraw_tail(state)
  local index = #self.blocks
  self:replace(index, tail.block(state, fold.questions(state), self:before(index), self.look))
end

--- Which block a line belongs to.
---@param line integer From 0.
---@return integer? index
function View:at(line)
  local low, high = 1, #self.starts
  while low < high do
    local middle = math.floor((low + high + 1) / 2)
    if self.starts[middle] <= line then
      low = middle
    else
      high = middle - 1
    end
  end
  return self.starts[low] and low or nil
end

--- Where a line leads, if anywhere.
---@param line integer From 0.
---@return pilotfish.Lead?
function View:place(line)
  local index = self:at(line) or 1
  local block = self.blocks[index]
  local at = line - self.starts[index]
  return block and block.places[at --[[@as integer]]]
end

--- The id of the item on a line; empty on the tail.
---@param line integer From 0.
---@return string
function View:id(line)
  local block = self.blocks[self:at(line) or 1]
  return block and block.id or ''
end

--- The line on which the next or the previous item begins.
---@param line integer From 0.
---@param step 1|-1
---@return integer?
function View:next(line, step)
  local index = self:at(line) or 1
  while self.blocks[index] do
    local block = self.blocks[index]
    local head = self.starts[index] + block.head
    if #block.lines > block.head and (head - line) * step > 0 then
      return head
    end
    index = index + step
  end
end

local function put(buffer, row, span, priority)
  vim.api.nvim_buf_set_extmark(buffer, namespace, row, span.from, {
    end_row = row,
    end_col = span.to,
    hl_group = span.group,
    conceal = span.conceal,
    ephemeral = true,
    strict = false,
    priority = priority,
  })
end

--- Colours a line.
---@param row integer
function View:colour(row)
  local index = self:at(row) or 1
  local block = self.blocks[index]
  if not block then
    return
  end
  local line = row - self.starts[index]
  if block.family == 'text' and self.has_markdown then
    for _, span in ipairs(markdown.spans(block, line)) do
      put(self.buffer, row, span, 100)
    end
  end
  if not block.by_line then
    block.by_line = {}
    for _, span in ipairs(block.spans) do
      block.by_line[span.line] = block.by_line[span.line] or {}
      table.insert(block.by_line[span.line], span)
    end
  end
  for _, span in ipairs(block.by_line[line] or {}) do
    put(self.buffer, row, span, 150)
  end
end

-- Only what is seen is coloured, and nothing has to be moved or removed when lines change.
vim.api.nvim_set_decoration_provider(namespace, {
  on_win = function(_, _, buffer) return views[buffer] ~= nil end,
  on_line = function(_, _, buffer, row)
    if views[buffer] then
      views[buffer]:colour(row)
    end
  end,
})

return View

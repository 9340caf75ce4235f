--- One block of a transcript while it is drawn: its lines, what is coloured in them, and where they lead. Pure.

local words = require('pilotfish.words')

---@class pilotfish.Span
---@field line integer From 0, in the block.
---@field from integer The first byte.
---@field to? integer Behind the last byte; the whole line when absent.
---@field group string
---@field conceal? string What is shown in its place.

---@class pilotfish.Lead
---@field uri? string
---@field line? integer From 0.
---@field command? string What follows `:Pilotfish` there; `earlier` loads older items.

---@class pilotfish.Block
---@field id string
---@field family 'text'|'tool'
---@field lines string[]
---@field spans pilotfish.Span[]
---@field head integer How many lines of the gap stand before the item.
---@field fold? integer The first line of the fold, which goes to the end of the block.
---@field places table<integer, pilotfish.Lead>
---@field pieces? pilotfish.Pieces What of a message is coloured.
---@field by_line? table<integer, pilotfish.Span[]>

---@class pilotfish.Look
---@field root string The session's workspace.

--- How many lines of a change are shown.
local most_changed = 40

--- Collects the lines of one block.
---@class pilotfish.Drawing
---@field lines string[]
---@field spans pilotfish.Span[]
---@field places table<integer, pilotfish.Lead>
---@field folds? integer The line under which what follows is folded, from 0.
local Drawing = {}
Drawing.__index = Drawing

--- One without a line.
---@return pilotfish.Drawing
function Drawing.new()
  return setmetatable({ lines = {}, spans = {}, places = {} }, Drawing)
end

--- Adds a line, of pieces that are words or words with a group.
---@param pieces (string|[string, string?])[]
---@param place? pilotfish.Lead
function Drawing:line(pieces, place)
  local text = {}
  local length = 0
  for _, piece in ipairs(pieces) do
    local part, group = piece, nil
    if type(piece) == 'table' then
      part, group = piece[1], piece[2]
    end
    -- Paths and titles may have ends of lines in them, which a line of a buffer cannot.
    part = part:gsub('[\r\n]', { ['\n'] = '\\u{a}', ['\r'] = '\\u{d}' })
    if group then
      table.insert(self.spans, { line = #self.lines, from = length, to = length + #part, group = group })
    end
    table.insert(text, part)
    length = length + #part
  end
  self.places[#self.lines] = place
  table.insert(self.lines, table.concat(text))
end

--- Adds lines of a text that is not ours, at most so many, the last of them.
function Drawing:tail(text, prefix, most, group)
  -- No more of a long text is looked at than can be shown.
  local near = text:sub(-most * 400)
  local lines = words.lines(near)
  if #near < #text and #lines > 1 then
    table.remove(lines, 1)
  end
  if #near < #text or #lines > most then
    self:line({ { prefix .. '⋯ more before this: K shows all', 'PilotfishHint' } })
  end
  for index = math.max(1, #lines - most + 1), #lines do
    self:line({ group and { prefix .. lines[index], group } or prefix .. lines[index] })
  end
end

--- What follows is folded under the line before it.
function Drawing:fold()
  self.folds = #self.lines - 1
end

--- Adds the lines that an edit changed.
---@param edit pilotfish.Edit
function Drawing:changes(edit)
  local left = most_changed
  for _, hunk in ipairs(edit.hunks) do
    local place = { uri = edit.uri, line = hunk.newRange.start }
    for _, side in ipairs({ { hunk.oldText, '-', 'PilotfishDelete' }, { hunk.newText, '+', 'PilotfishAdd' } }) do
      for _, line in ipairs(side[1] ~= '' and words.lines(side[1]) or {}) do
        left = left - 1
        if left >= 0 then
          self:line({ '    ', { side[2] .. line, side[3] } }, place)
        end
      end
    end
  end
  if left < 0 then
    self:line({ { ('    ⋯ %s'):format(words.count(-left, 'more line')), 'PilotfishHint' } })
  end
end

--- Adds an edit in one line.
---@param edit pilotfish.Edit
---@param look pilotfish.Look
---@param indent string
function Drawing:edit(edit, look, indent)
  local what = { changed = '', created = ' · new file', deleted = ' · deleted' }
  local change = what[edit.change.kind] or ''
  if edit.change.kind == 'moved' then
    change = ' · moved from ' .. words.path(edit.change.from, look.root)
  end
  if edit.state == 'proposed' then
    change = change .. ' · proposed'
  elseif edit.state == 'conflict' then
    change = change .. ' · meets your own lines'
  end
  local group = edit.state == 'conflict' and 'PilotfishConflict' or 'PilotfishTool'
  local first = edit.hunks[1]
  local hunks = first and ' · ' .. words.count(#edit.hunks, 'hunk') or ''
  self:line({
    indent,
    { '✎ ' .. edit.path, group },
    { ' +' .. edit.added, 'PilotfishSignAdd' },
    { ' −' .. edit.removed, 'PilotfishSignDelete' },
    { hunks .. change, 'PilotfishTool' },
  }, { uri = edit.uri, line = first and first.newRange.start or 0 })
end

--- Adds what a question of policy is about: all of it, as plain text.
---@param content pilotfish.Approval
---@param look pilotfish.Look
function Drawing:asked(content, look)
  if #content.segments > 0 then
    for _, segment in ipairs(content.segments) do
      local group = segment.asks and 'PilotfishApproval' or 'PilotfishTool'
      for _, line in ipairs(words.lines(segment.text)) do
        self:line({ '    ', { '$ ' .. line, group } })
      end
    end
  elseif #content.edits == 0 then
    for _, line in ipairs(words.lines(content.detail)) do
      self:line({ '    ', { line, 'PilotfishApproval' } })
    end
  end
  for _, edit in ipairs(content.edits) do
    self:edit(edit, look, '    ')
    self:changes(edit)
  end
  for _, line in ipairs(words.lines(content.reason)) do
    self:line({ '    ' .. line })
  end
  if content.escaped then
    self:line({ '    ', { 'It holds characters that cannot be seen: they are shown as \\u{…}.', 'PilotfishConflict' } })
  end
end

--- The lines between two blocks: what tools did stands together.
local function gap(before, family)
  return before and not (before == 'tool' and family == 'tool') and { '' } or {}
end

--- The block, with the gap that belongs before it.
---@param id string
---@param family 'text'|'tool'
---@param before? 'text'|'tool' The family of the block before it.
---@return pilotfish.Block
function Drawing:block(id, family, before)
  local block = { id = id, family = family, lines = {}, spans = {}, places = {}, head = 0 }
  if #self.lines == 0 then
    return block
  end
  block.lines = gap(before, family)
  block.head = #block.lines
  vim.list_extend(block.lines, self.lines)
  for _, span in ipairs(self.spans) do
    span.line = span.line + block.head
    table.insert(block.spans, span)
  end
  for line, place in pairs(self.places) do
    block.places[line + block.head] = place
  end
  if self.folds and #self.lines > self.folds + 1 then
    block.fold = self.folds + block.head
    local line = block.lines[block.fold + 1]
    block.lines[block.fold + 1] = line .. ' ⋯'
    table.insert(block.spans, { line = block.fold, from = #line, to = #line + #' ⋯', group = 'PilotfishHint' })
  end
  return block
end

return Drawing

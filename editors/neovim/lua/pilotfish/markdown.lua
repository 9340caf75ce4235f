--- Colours messages as Markdown, a few lines at a time and only where somebody looks. A parser for the whole buffer would read all of it
--- again with each token, and would take what tools said for Markdown.

local M = {}

--- A piece of a message that can be read by itself: it begins behind a blank line, outside of a fence.
---@class pilotfish.Piece
---@field from integer The first line, from 1.
---@field length? integer How many bytes it had when it was coloured.
---@field spans? table<integer, pilotfish.Span[]> What is coloured, by the line of the block, from 0.

--- How far the pieces of a block are known.
---@class pilotfish.Pieces
---@field list pilotfish.Piece[]
---@field line integer The last line that was looked at, and will not change.
---@field fence? string What closes the fence that is open there.

--- A piece ends at the next blank line after so many lines.
local enough = 20
--- A long piece that grows is not coloured with every token.
local long = 4000

---@return boolean
function M.is_there()
  -- Without the parser that comes with the editor messages are plain text.
  return (pcall(vim.treesitter.get_string_parser, '', 'markdown'))
end

---@param pieces pilotfish.Pieces
---@param line string
local function follow_fence(pieces, line)
  local marker = line:match('^ ? ? ?(```+)') or line:match('^ ? ? ?(~~~+)')
  if marker and not pieces.fence then
    pieces.fence = marker
  elseif marker and vim.startswith(marker, pieces.fence) and line:match('^%s*[`~]+%s*$') then
    pieces.fence = nil
  end
end

--- Finds the pieces of what was appended.
---@param block pilotfish.Block
---@return pilotfish.Pieces
local function pieces_of(block)
  block.pieces = block.pieces or { list = { { from = 1 } }, line = 0 }
  local pieces = block.pieces
  for line = pieces.line + 1, #block.lines - 1 do
    local last = pieces.list[#pieces.list]
    local is_break = not pieces.fence and block.lines[line - 1] == '' and block.lines[line]:match('^%S')
    if is_break and line - last.from >= enough then
      table.insert(pieces.list, { from = line })
    end
    follow_fence(pieces, block.lines[line])
    pieces.line = line
  end
  return pieces
end

---@param spans table<integer, pilotfish.Span[]>
---@param node TSNode
---@param first integer
---@param lines string[]
---@param group string
---@param conceal? string
local function add(spans, node, first, lines, group, conceal)
  local from_row, from, to_row, to = node:range()
  for row = from_row, to_row do
    local line = lines[row + 1] or ''
    local begin, stop = row == from_row and from or 0, row == to_row and to or #line
    if stop > begin then
      local at = first - 1 + row --[[@as integer]]
      spans[at] = spans[at] or {}
      table.insert(spans[at], { line = at, from = begin, to = stop, group = group, conceal = conceal })
    end
  end
end

---@param block pilotfish.Block
---@param first integer
---@param last integer
---@return table<integer, pilotfish.Span[]>
local function colour(block, first, last)
  local lines = vim.list_slice(block.lines, first, last)
  local text = table.concat(lines, '\n') .. '\n'
  local parser = vim.treesitter.get_string_parser(text, 'markdown')
  parser:parse(true)
  local spans = {}
  parser:for_each_tree(function(tree, language_tree)
    local language = language_tree:lang()
    local query = vim.treesitter.query.get(language, 'highlights')
    if not query then
      return
    end
    for id, node, metadata in query:iter_captures(tree:root(), text) do
      local name = query.captures[id]
      local kind = node:type()
      if kind == 'fenced_code_block_delimiter' or kind == 'info_string' or kind == 'language' then
        -- A fence is shown, and dim: hidden it would leave a line that means nothing.
        add(spans, node, first, lines, 'PilotfishHint')
      elseif not name:match('^_') and name ~= 'spell' and name ~= 'nospell' then
        local conceal = metadata.conceal or metadata[id] and metadata[id].conceal
        add(spans, node, first, lines, ('@%s.%s'):format(name, language), conceal)
      end
    end
  end)
  return spans
end

--- What is coloured on a line of a message.
---@param block pilotfish.Block
---@param line integer From 0, in the block.
---@return pilotfish.Span[]
function M.spans(block, line)
  local list = pieces_of(block).list
  local index = #list
  while list[index].from > line + 1 do
    index = index - 1
  end
  local piece, last = list[index], list[index + 1] and list[index + 1].from - 1 or #block.lines
  local length = last - piece.from + #block.lines[last]
  for at = piece.from, last - 1 do
    length = length + #block.lines[at]
  end
  local waits = piece.length and length > long and length - piece.length < long / 10 and length > piece.length
  if piece.length ~= length and not waits then
    piece.length, piece.spans = length, colour(block, piece.from, last)
  end
  return piece.spans[line] or {}
end

return M

--- The lines of a hunk that are not in the text, as the editor draws them: what was there, or what is proposed.
local M = {}

--- So many are drawn; the cursor cannot go into them, so more could not be read.
M.MOST = 12

--- Texts of lines without their ends, of which there are two kinds.
---@param text string
---@return string[]
function M.split(text)
  local lines = vim.split((text:gsub('\r\n', '\n')), '\n', { plain = true })
  if lines[#lines] == '' then
    table.remove(lines)
  end
  return lines
end

--- How light a colour is, from 0 to 1, as WCAG counts it.
---@param colour integer 0xRRGGBB
---@return number
local function lightness(colour)
  local function part(shift)
    local value = math.floor(colour / shift) % 256 / 255
    return value <= 0.04 and value / 12.92 or ((value + 0.055) / 1.055) ^ 2.4
  end
  return 0.2126 * part(65536) + 0.7152 * part(256) + 0.0722 * part(1)
end

--- The contrast that text must have on a tint for the colours of code, which have less, to be readable there.
local ENOUGH = 6

--- Whether a group has to cover the colours of code: it has nothing to show behind them, or a tint that they cannot be read on.
---@param group string
---@return boolean
function M.covers(group)
  local look = vim.api.nvim_get_hl(0, { name = group, link = false })
  local text = vim.api.nvim_get_hl(0, { name = 'Normal', link = false }).fg
  if look.reverse or not look.bg then
    return true
  elseif not look.fg or not text then
    return false
  end
  local one, other = lightness(text), lightness(look.bg)
  return (math.max(one, other) + 0.05) / (math.min(one, other) + 0.05) < ENOUGH
end

--- What a line looks like: tabs as wide as they are in the buffer, and nothing that would do more than be seen.
---@param text string
---@param column integer the screen column it begins at
---@param tabstop integer
---@return string
local function shown(text, column, tabstop)
  local parts = vim.split(text, '\t', { plain = true })
  local out = ''
  for index, part in ipairs(parts) do
    if index > 1 then
      out = out .. (' '):rep(tabstop - (column + vim.api.nvim_strwidth(out)) % tabstop)
    end
    out = out .. vim.fn.strtrans(part)
  end
  return out
end

--- The colours of a text by its lines: of each byte the name of the last group that the language's queries give it.
---@param bufnr integer
---@param text string
---@return table<integer, table<integer, string>>? rows
local function colours(bufnr, text)
  if not vim.treesitter.highlighter.active[bufnr] then
    return nil
  end
  local language = vim.treesitter.language.get_lang(vim.bo[bufnr].filetype)
  local parsed, parser = pcall(vim.treesitter.get_string_parser, text, language)
  local query = parsed and vim.treesitter.query.get(language, 'highlights')
  if not query then
    return nil
  end
  local rows = {}
  local tree = parser:parse()[1]
  for capture, node in query:iter_captures(tree:root(), text) do
    local name = query.captures[capture]
    local first_row, first_column, last_row, last_column = node:range()
    for row = first_row, name:match('^[_%s]') and first_row - 1 or name == 'spell' and first_row - 1 or last_row do
      local start = row == first_row and first_column or 0
      local stop = row == last_row and last_column or math.huge
      rows[row] = rows[row] or {}
      table.insert(rows[row], { start, stop, ('@%s.%s'):format(name, language) })
    end
  end
  return rows
end

--- A line cut where its colours change.
---@param line string
---@param spans {[1]: integer, [2]: integer, [3]: string}[]
---@return {text: string, group?: string}[]
local function pieces(line, spans)
  local groups = {}
  for _, span in ipairs(spans) do
    for byte = span[1] + 1, math.min(span[2], #line) do
      groups[byte] = span[3]
    end
  end
  local cut = {}
  local start = 1
  for byte = 2, #line + 1 do
    if byte > #line or groups[byte] ~= groups[start] then
      table.insert(cut, { text = line:sub(start, byte - 1), group = groups[start] })
      start = byte
    end
  end
  return cut
end

---@param bufnr integer
---@param line string
---@param group string
---@param spans? table
---@return table[] chunks
local function chunks(bufnr, line, group, spans)
  local tabstop = vim.bo[bufnr].tabstop
  local covers = M.covers(group)
  local out, column = {}, 0
  for _, piece in ipairs(spans and pieces(line, spans) or { { text = line } }) do
    local text = shown(piece.text, column, tabstop)
    column = column + vim.api.nvim_strwidth(text)
    table.insert(out, { text, piece.group and (covers and { piece.group, group } or { group, piece.group }) or group })
  end
  -- To the end of the window, as lines of the text are.
  table.insert(out, { (' '):rep(math.max(vim.o.columns - column, 1)), group })
  return out
end

--- The lines to draw. With colours only when they are seen.
---@param bufnr integer
---@param hunk pilotfish.Hunk
---@param coloured boolean
---@return table[] virtual lines, as marks take them
function M.lines(bufnr, hunk, coloured)
  local is_old = hunk.state == 'applied'
  local text = is_old and hunk.oldText or hunk.newText
  local group = is_old and 'PilotfishDelete' or 'PilotfishAdd'
  local all = M.split(text)
  local some = vim.list_slice(all, 1, M.MOST)
  local spans = coloured and #some > 0 and colours(bufnr, table.concat(some, '\n') .. '\n') or nil
  local lines = {}
  for row, line in ipairs(some) do
    table.insert(lines, chunks(bufnr, line, group, spans and (spans[row - 1] or {})))
  end
  if #all > #some then
    local more = ('⋯ %d more (:Pilotfish old)'):format(#all - #some)
    table.insert(lines, { { more, { group, 'PilotfishHint' } }, { (' '):rep(vim.o.columns), group } })
  end
  return lines
end

return M

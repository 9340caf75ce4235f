--- What goes along with the next message: files and ranges that the person added. The daemon reads them; here are only their names.
local client = require('pilotfish.client')
local say = require('pilotfish.say')
local words = require('pilotfish.words')

local M = {}

---@type pilotfish.InputPart[]
local parts = {}

---@param buffer integer
---@param range? { first: integer, last: integer }
---@return pilotfish.InputPart
local function part_of(buffer, range)
  local uri = vim.uri_from_fname(client.path(buffer))
  if not range then
    return { type = 'file', uri = uri }
  end
  local from, to = { line = range.first - 1, character = 0 }, { line = range.last, character = 0 }
  return { type = 'selection', uri = uri, range = { start = from, ['end'] = to } }
end

local function redraw()
  vim.cmd.redrawstatus({ bang = true })
end

--- Adds the current file or some of its lines to the next message; what is there already is taken away.
---@param range? { first: integer, last: integer } Lines, from 1.
---@param stays? boolean Not taken away when it is there.
function M.add(range, stays)
  local buffer = vim.api.nvim_get_current_buf()
  if not client.is_file(buffer) then
    return say.warn('this buffer shows no file')
  end
  local part = part_of(buffer, range)
  local name = words.part(part, client.workspace(buffer))
  for index, known in ipairs(parts) do
    if vim.deep_equal(known, part) then
      if not stays then
        table.remove(parts, index)
        say.say(name .. ' does not go along any more')
      end
      return redraw()
    end
  end
  table.insert(parts, part)
  say.say(name .. ' goes along with the next message')
  redraw()
end

--- What goes along, as one would type it.
---@param root string
---@return string[]
function M.names(root)
  return vim.tbl_map(function(part) return words.part(part, root) end, parts)
end

--- What goes along, for a message that is sent now: it does not go along with the one after.
---@return pilotfish.InputPart[]
function M.take()
  local taken = parts
  parts = {}
  redraw()
  return taken
end

--- Takes it back, after a message that could not be sent.
---@param taken pilotfish.InputPart[]
function M.put_back(taken)
  parts = vim.list_extend(taken, parts)
  redraw()
end

return M

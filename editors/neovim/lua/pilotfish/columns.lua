--- Columns of lines as the daemon's own methods count them, in UTF-16 units, and as the editor does, in bytes.
local M = {}

local HAS_11 = vim.fn.has('nvim-0.11') == 1

--- Behind the last character is the end.
---@param line string
---@param units integer
---@return integer
function M.bytes(line, units)
  if HAS_11 then
    return vim.str_byteindex(line, 'utf-16', units, false)
  end
  local found, byte = pcall(vim.str_byteindex, line, units, true)
  return found and byte or #line
end

---@param line string
---@param bytes integer
---@return integer
function M.units(line, bytes)
  bytes = math.min(bytes, #line)
  if HAS_11 then
    return vim.str_utfindex(line, 'utf-16', bytes, false)
  end
  local _, units = vim.str_utfindex(line, bytes)
  return units
end

return M

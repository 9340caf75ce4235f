--- What the person is told in passing. A message that arrives by itself never takes more than the line for messages, so that nobody
--- has to press a key to go on.
local M = {}

---@class pilotfish.Said
---@field at string
---@field text string

--- The last messages, whole.
---@type pilotfish.Said[]
local said = {}
local KEPT = 100

---@param text string
---@return string
local function fitting(text)
  local line = vim.trim((text:gsub('%s+', ' ')))
  -- The line also shows what was typed of a command, and where the cursor is.
  local width = math.max(20, vim.o.columns * math.max(1, vim.o.cmdheight) - 12)
  return require('pilotfish.words').fitting(line, width)
end

---@param text string
---@param level? integer one of `vim.log.levels`
function M.say(text, level)
  table.insert(said, { at = os.date('%H:%M:%S') --[[@as string]], text = text })
  if #said > KEPT then
    table.remove(said, 1)
  end
  vim.notify(fitting('pilotfish: ' .. text), level or vim.log.levels.INFO)
end

---@param text string
function M.warn(text)
  M.say(text, vim.log.levels.WARN)
end

local once = {}

--- Says it unless it was said before.
---@param text string
function M.warn_once(text)
  if not once[text] then
    once[text] = true
    M.warn(text)
  end
end

--- What was said, the oldest first.
---@return pilotfish.Said[]
function M.all()
  return said
end

return M

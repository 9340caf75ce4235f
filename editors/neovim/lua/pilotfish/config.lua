--- What the person set in `vim.g.pilotfish`, checked. It never changes anything and asks nobody.
local M = {}

--- A setting that can be left out.
---@class pilotfish.Setting
---@field default any
---@field expected string What it may be, for people.
---@field fits fun(value: any): boolean

---@param ... string
---@return pilotfish.Setting
local function one_of(...)
  local words = { ... }
  return {
    default = words[1],
    expected = 'one of ' .. table.concat(words, ', '),
    fits = function(value) return vim.tbl_contains(words, value) end,
  }
end

--- Every setting by its name, the first word of a choice being what it is unless said.
---@type table<string, pilotfish.Setting>
M.settings = {
  program = {
    default = 'pilotfish',
    expected = 'the path of the program, or its name on $PATH',
    fits = function(value) return type(value) == 'string' and value ~= '' end,
  },
  diff = one_of('inline', 'signs', 'none'),
  notify = one_of('waiting', 'done', 'off'),
  keys = {
    default = true,
    expected = 'true or false',
    fits = function(value) return type(value) == 'boolean' end,
  },
  width = {
    default = 0.4,
    expected = 'the share of the screen that the chat takes, between 0.1 and 0.9',
    fits = function(value) return type(value) == 'number' and value >= 0.1 and value <= 0.9 end,
  },
}

---@return table<string, any>
local function written()
  local options = vim.g.pilotfish
  return type(options) == 'table' and options or {}
end

--- A setting: what the person wrote where it can be meant, else the default.
---@param name string
---@return any
function M.get(name)
  local setting = M.settings[name]
  local value = written()[name]
  if value ~= nil and setting.fits(value) then
    return value
  end
  return setting.default
end

--- What is wrong with the settings, a line for each.
---@return string[]
function M.problems()
  local options = vim.g.pilotfish
  if options ~= nil and type(options) ~= 'table' then
    return { 'vim.g.pilotfish is no table' }
  end
  local problems = {}
  for name, value in vim.spairs(written()) do
    local setting = M.settings[name]
    if not setting then
      table.insert(problems, ('vim.g.pilotfish.%s is no setting'):format(name))
    elseif not setting.fits(value) then
      table.insert(problems, ('vim.g.pilotfish.%s = %s: it is %s'):format(name, vim.inspect(value, { newline = ' ', indent = '' }), setting.expected))
    end
  end
  return problems
end

--- The full path of the program; nothing where there is none.
---@return string?
function M.program()
  local path = vim.fn.exepath(vim.fn.expand(M.get('program')))
  return path ~= '' and path or nil
end

return M

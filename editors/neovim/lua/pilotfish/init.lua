--- What other configurations and plugins may call. Everything else is ours to change.
local M = {}

--- Turns the plugin on for every file, as `vim.lsp.enable('pilotfish')` does where there is that.
function M.enable()
  require('pilotfish.start').begin()
  if vim.lsp.enable then
    vim.lsp.enable('pilotfish')
  else
    require('pilotfish.client').enable()
  end
end

--- A line for the status line: the mode, what goes on, and what waits.
---@return string
function M.status()
  return require('pilotfish.status').line()
end

--- How many hunks of a buffer wait for review.
---@param bufnr? integer the current one unless given
---@return {add: integer, change: integer, delete: integer, conflict: integer}
function M.hunks(bufnr)
  local none = { add = 0, change = 0, delete = 0, conflict = 0 }
  return vim.b[bufnr or 0].pilotfish_hunks or none
end

return M

--- What went wrong: what was said lately, and where the logs are.
local config = require('pilotfish.config')
local scratch = require('pilotfish.scratch')

local M = {}

--- The daemon's log, where it is by default or where `$PILOTFISH_HOME` puts it.
---@return string
function M.path()
  local home = vim.env.PILOTFISH_HOME
  local state = home and vim.fs.joinpath(home, 'state') or vim.fs.joinpath(vim.env.XDG_STATE_HOME or vim.fn.expand('~/.local/state'), 'pilotfish')
  return vim.fs.joinpath(state, 'log', 'pilotfish.log')
end

--- Shows it.
function M.open()
  local lines = {}
  for _, said in ipairs(require('pilotfish.say').all()) do
    vim.list_extend(lines, vim.split(said.at .. '  ' .. said.text, '\n', { plain = true }))
  end
  if #lines == 0 then
    lines = { 'Nothing was said.' }
  end
  vim.list_extend(lines, { '', 'The daemon\'s log    ' .. M.path(), 'The editor\'s log    ' .. (vim.lsp.log.get_filename or vim.lsp.get_log_path)() })
  vim.list_extend(lines, vim.tbl_map(function(problem)
    return 'Setting             ' .. problem
  end, config.problems()))
  scratch.float(scratch.buffer(lines), 'pilotfish log')
end

return M

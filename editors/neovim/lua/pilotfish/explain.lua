--- What `:Pilotfish` alone shows: how things stand, and what can follow it.
local client = require('pilotfish.client')
local scratch = require('pilotfish.scratch')

local M = {}

--- What belongs together, in the order in which it is needed.
local GROUPS = {
  { 'Ask', { 'chat', 'ask', 'add', 'mode', 'model', 'sessions', 'queue' } },
  { 'Review', { 'next', 'prev', 'keep', 'undo', 'unkeep', 'accept', 'reject', 'old', 'diff', 'review', 'restore' } },
  { 'Allow and stop', { 'approve', 'rules', 'trust', 'commands', 'stop' } },
  { 'Mend', { 'log', 'restart' } },
}

--- How things stand, in a line.
---@param status? pilotfish.DaemonStatus
---@return string
local function standing(status)
  local folder = vim.fn.strtrans(vim.fn.fnamemodify(client.workspace(), ':~'))
  local state, reason = client.state()
  local said = status and ('pilotfish %s, %d sessions, %d running'):format(status.version, status.sessions, status.turns)
  return ('%s · %s'):format(folder, said or reason or state)
end

---@return string[] lines, integer[] headings rows from 0
function M.lines()
  local lines = { standing() }
  local headings = {}
  local entries = require('pilotfish.commands').entries
  for _, group in ipairs(GROUPS) do
    vim.list_extend(lines, { '', group[1] })
    table.insert(headings, #lines - 1)
    for _, name in ipairs(group[2]) do
      table.insert(lines, ('  :Pilotfish %-9s %s'):format(name, entries[name].help))
    end
  end
  vim.list_extend(lines, { '', 'More: :help pilotfish, :checkhealth pilotfish' })
  return lines, headings
end

--- Shows it.
function M.open()
  local lines, headings = M.lines()
  local bufnr = scratch.buffer(lines)
  local names = vim.api.nvim_create_namespace('pilotfish.explain')
  for _, row in ipairs(headings) do
    vim.api.nvim_buf_set_extmark(bufnr, names, row, 0, { end_col = #lines[row + 1], hl_group = 'PilotfishUser' })
  end
  scratch.float(bufnr, 'pilotfish')
  client.request('daemon/status', {}, function(_, status)
    if vim.api.nvim_buf_is_valid(bufnr) then
      vim.bo[bufnr].modifiable = true
      vim.api.nvim_buf_set_lines(bufnr, 0, 1, true, { standing(status) })
      vim.bo[bufnr].modifiable = false
    end
  end)
end

return M

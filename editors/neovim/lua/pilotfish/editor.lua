--- Tells the daemon what the person looks at, and the problems that are shown in their files.
local client = require('pilotfish.client')
local columns = require('pilotfish.columns')
local events = require('pilotfish.events')

local M = {}

--- The cursor must rest so many milliseconds before it is told where it is.
local REST = 150

local SEVERITIES = { 'error', 'warning', 'information', 'hint' }

---@param bufnr integer
---@param row integer
---@param bytes integer
---@return {line: integer, character: integer}
local function position(bufnr, row, bytes)
  local line = vim.api.nvim_buf_get_lines(bufnr, row, row + 1, false)[1] or ''
  return { line = row, character = columns.units(line, bytes) }
end

---@param bufnr integer
---@return table range
local function selection(bufnr)
  local cursor = vim.api.nvim_win_get_cursor(0)
  local here = position(bufnr, cursor[1] - 1, cursor[2])
  if not vim.fn.mode():match('^[vV\22]') then
    return { start = here, ['end'] = here }
  end
  local mark = vim.fn.getpos('v')
  local there = position(bufnr, mark[2] - 1, mark[3] - 1)
  if there.line > here.line or there.line == here.line and there.character > here.character then
    here, there = there, here
  end
  return { start = there, ['end'] = here }
end

local focused = true

local function tell_state()
  local bufnr = vim.api.nvim_get_current_buf()
  local params = { focused = focused }
  if client.is_file(bufnr) then
    params.uri = vim.uri_from_fname(client.path(bufnr))
    params.selection = selection(bufnr)
    params.visible = {
      start = { line = vim.fn.line('w0') - 1, character = 0 },
      ['end'] = { line = vim.fn.line('w$'), character = 0 },
    }
  end
  client.notify('editor/state', params)
end

---@param bufnr integer
local function tell_diagnostics(bufnr)
  if not client.is_file(bufnr) then
    return
  end
  local function told(diagnostic)
    return {
      range = {
        start = position(bufnr, diagnostic.lnum, diagnostic.col),
        ['end'] = position(bufnr, diagnostic.end_lnum or diagnostic.lnum, diagnostic.end_col or diagnostic.col),
      },
      severity = SEVERITIES[diagnostic.severity],
      message = diagnostic.message,
      source = diagnostic.source,
      code = diagnostic.code and tostring(diagnostic.code),
    }
  end
  client.notify('editor/diagnostics', {
    uri = vim.uri_from_fname(client.path(bufnr)),
    version = vim.lsp.util.buf_versions[bufnr],
    diagnostics = vim.tbl_map(told, vim.diagnostic.get(bufnr)),
  })
end

--- Calls a function once things have been quiet.
---@param call fun()
---@return fun()
local function after_rest(call)
  local timer = assert(vim.uv.new_timer())
  return function()
    timer:start(REST, 0, vim.schedule_wrap(call))
  end
end

--- Tells from now on.
function M.follow()
  local look = after_rest(tell_state)
  events.on({ 'BufEnter', 'CursorMoved', 'CursorMovedI', 'WinScrolled' }, look)
  events.on({ 'FocusGained', 'FocusLost' }, function(event)
    focused = event.event == 'FocusGained'
    tell_state()
  end)
  events.on('DiagnosticChanged', function(event) tell_diagnostics(event.buf) end)
  client.on_attach(function(bufnr)
    look()
    if #vim.diagnostic.get(bufnr) > 0 then
      tell_diagnostics(bufnr)
    end
  end)
end

return M

--- Says at the hunk that the cursor is at which one it is, and what can be done with it.
local config = require('pilotfish.config')
local draw = require('pilotfish.draw')
local events = require('pilotfish.events')

local M = {}

local VERBS = { applied = 'keep|undo', proposed = 'accept|reject', conflict = 'reject' }

local space = vim.api.nvim_create_namespace('pilotfish.hint')

--- What it says in a buffer, and where.
---@type table<integer, string>
local said = {}

---@param bufnr integer
---@return integer? row, string? text
local function wanted(bufnr)
  if vim.api.nvim_get_current_buf() ~= bufnr or not draw.has_hunks(bufnr) or config.get('diff') == 'none' then
    return
  end
  local places, number, all = draw.at(bufnr, vim.api.nvim_win_get_cursor(0)[1] - 1)
  if places[1] then
    -- Also when the hunk begins above what is seen.
    local row = math.max(draw.row(bufnr, places[1]), vim.fn.line('w0') - 1)
    return row, (' %d/%d %s '):format(number, all, VERBS[places[1].hunk.state])
  end
end

--- Shows it in a buffer, moves it or takes it away.
---@param bufnr integer
function M.show(bufnr)
  local row, text = wanted(bufnr)
  local key = row and row .. text or nil
  if key == said[bufnr] then
    return
  end
  said[bufnr] = key
  vim.api.nvim_buf_clear_namespace(bufnr, space, 0, -1)
  if row then
    vim.api.nvim_buf_set_extmark(bufnr, space, row, 0, {
      virt_text = { { text, 'PilotfishHint' } },
      virt_text_pos = 'right_align',
      hl_mode = 'replace',
    })
  end
end

--- Shows it from now on.
function M.follow()
  events.on({ 'CursorMoved', 'CursorMovedI', 'BufEnter' }, function(event)
    if said[event.buf] or draw.has_hunks(event.buf) then
      M.show(event.buf)
    end
  end)
  events.on('BufUnload', function(event)
    said[event.buf] = nil
  end)
end

return M

--- The hunks that wait as a list of the editor's own, to walk through with `:cnext` and its like.
local client = require('pilotfish.client')
local lines = require('pilotfish.ghost').split
local say = require('pilotfish.say')

local M = {}

---@param hunk pilotfish.Hunk
---@return string
local function described(hunk)
  local old, new = lines(hunk.oldText), lines(hunk.newText)
  local first = vim.trim(new[1] or old[1] or '')
  local state = hunk.state == 'applied' and '' or hunk.state .. ' '
  return ('%s+%d −%d  %s'):format(state, #new, #old, vim.fn.strtrans(first))
end

---@param hunk pilotfish.Hunk
---@return table
local function entry(hunk)
  local range = hunk.state == 'applied' and hunk.newRange or hunk.oldRange
  return {
    filename = vim.uri_to_fname(hunk.uri),
    lnum = range.start + 1,
    end_lnum = math.max(range['end'], range.start + 1),
    type = hunk.state == 'conflict' and 'W' or '',
    text = described(hunk),
    user_data = hunk.id,
  }
end

--- Lists the hunks of all files in the quickfix window, or those of this one in the location list.
---@param only_file boolean
function M.open(only_file)
  local bufnr, window = vim.api.nvim_get_current_buf(), vim.api.nvim_get_current_win()
  local params = { workspace = client.workspace(bufnr) }
  if only_file then
    params.uri = vim.uri_from_fname(client.path(bufnr))
  end
  client.request('review/list', params, function(error, list)
    if error then
      return say.warn(error.message)
    elseif #list.hunks == 0 then
      return say.say('nothing waits for review')
    end
    local items = vim.tbl_map(entry, list.hunks)
    table.sort(items, function(a, b)
      return a.filename ~= b.filename and a.filename < b.filename or a.filename == b.filename and a.lnum < b.lnum
    end)
    local what = { title = 'pilotfish: hunks to review', items = items }
    if only_file then
      vim.fn.setloclist(window, {}, ' ', what)
      vim.cmd('botright lopen')
    else
      vim.fn.setqflist({}, ' ', what)
      vim.cmd('botright copen')
    end
  end, bufnr)
end

return M

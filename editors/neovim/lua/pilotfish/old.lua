--- What stood where a hunk is, all of it, in a window at the cursor.
local review = require('pilotfish.review')
local scratch = require('pilotfish.scratch')

local M = {}

--- Shows it; of a proposal what would stand there.
function M.open()
  local place = review.at_cursor()
  if not place then
    return require('pilotfish.say').warn('there is no hunk here')
  end
  local hunk = place.hunk
  local is_old = hunk.state == 'applied'
  local lines = require('pilotfish.ghost').split(is_old and hunk.oldText or hunk.newText)
  if #lines == 0 then
    return require('pilotfish.say').say(is_old and 'nothing was here before' or 'these lines would go')
  end
  local bufnr = scratch.buffer(lines, vim.bo.filetype)
  vim.bo[bufnr].tabstop = vim.bo.tabstop
  local title = ('%s, %d line%s'):format(is_old and 'before' or 'proposed', #lines, #lines == 1 and '' or 's')
  scratch.float(bufnr, title, { relative = 'cursor', row = 1, col = 0 })
end

return M

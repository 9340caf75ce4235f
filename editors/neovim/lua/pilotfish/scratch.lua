--- Buffers that hold no file: a text to look at, gone when it is closed.
local M = {}

--- A buffer with these lines that nobody can change.
---@param lines string[]
---@param filetype? string
---@return integer bufnr
function M.buffer(lines, filetype)
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.bo[bufnr].modeline = false
  vim.bo[bufnr].bufhidden = 'wipe'
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  if filetype then
    vim.bo[bufnr].filetype = filetype
  end
  vim.bo[bufnr].modifiable = false
  return bufnr
end

--- Shows a buffer in a window over the others. `q` closes it.
---@param bufnr integer
---@param title string
---@param options? table what is to be otherwise, as `nvim_open_win` takes it
---@return integer window
function M.float(bufnr, title, options)
  local lines = vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)
  local width = vim.fn.strdisplaywidth(title) + 4
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line) + 1)
  end
  width = math.min(width, vim.o.columns - 4)
  local height = math.max(1, math.min(#lines, vim.o.lines - 8, options and options.relative == 'cursor' and math.floor(vim.o.lines / 2) or math.huge))
  local window = vim.api.nvim_open_win(bufnr, true, vim.tbl_extend('force', {
    relative = 'editor',
    row = math.floor((vim.o.lines - height) / 2) - 1,
    col = math.floor((vim.o.columns - width) / 2),
    width = width,
    height = height,
    style = 'minimal',
    border = 'rounded',
    title = ' ' .. title .. ' ',
    title_pos = 'left',
  }, options or {}))
  vim.wo[window].wrap = false
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = bufnr, nowait = true, desc = 'close this' })
  return window
end

return M

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

--- Deletes a buffer once the editor is done with what it does to it now.
---@param bufnr integer
function M.delete_soon(bufnr)
  vim.schedule(function()
    pcall(vim.api.nvim_buf_delete, bufnr, { force = true })
  end)
end

--- What a window of ours beside the files is like.
M.plain = {
  wrap = true,
  linebreak = true,
  number = false,
  relativenumber = false,
  signcolumn = 'no',
  foldcolumn = '0',
  statuscolumn = '',
  winfixwidth = true,
}

--- The window of this tab whose buffer fits.
---@param fits fun(buffer: integer): any
---@return integer?
function M.find(fits)
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if fits(vim.api.nvim_win_get_buf(window)) then
      return window
    end
  end
end

--- Sets options of one window, and of no other that shows its buffer later.
---@param window integer
---@param options table<string, any>
function M.set(window, options)
  for name, value in pairs(options) do
    vim.api.nvim_set_option_value(name, value, { scope = 'local', win = window })
  end
end

--- Makes a window over the others as large as its text needs, in the middle unless it stands by the cursor.
---@param window integer
function M.fit(window)
  local bufnr = vim.api.nvim_win_get_buf(window)
  local width = vim.api.nvim_win_get_width(window)
  for _, line in ipairs(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)) do
    width = math.max(width, vim.api.nvim_strwidth(line) + 1)
  end
  width = math.min(width, vim.o.columns - 4)
  vim.api.nvim_win_set_width(window, width)
  local rows = vim.api.nvim_win_text_height(window, {}).all
  local height = math.max(1, math.min(rows, vim.o.lines - 6))
  vim.api.nvim_win_set_height(window, height)
  if vim.api.nvim_win_get_config(window).relative == 'editor' then
    local row, column = math.floor((vim.o.lines - height) / 2) - 1, math.floor((vim.o.columns - width) / 2)
    vim.api.nvim_win_set_config(window, { relative = 'editor', row = math.max(0, row), col = column })
  end
end

--- Shows a buffer in a window over the others. `q` closes it.
---@param bufnr integer
---@param title string
---@param options? table what is to be otherwise, as `nvim_open_win` takes it
---@return integer window
function M.float(bufnr, title, options)
  local window = vim.api.nvim_open_win(bufnr, true, vim.tbl_extend('force', {
    relative = 'editor',
    row = 0,
    col = 0,
    width = vim.api.nvim_strwidth(title) + 4,
    height = 1,
    style = 'minimal',
    border = 'rounded',
    title = ' ' .. title .. ' ',
    title_pos = 'left',
  }, options or {}))
  vim.wo[window].wrap = false
  M.fit(window)
  vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = bufnr, nowait = true, desc = 'close this' })
  return window
end

return M

--- Makes the changes that the daemon asks for in texts that are open. Each is made to exactly the text it was meant for or not at all,
--- is one step of undo of its own, and moves nobody's cursor or view. What was saved before is saved again.
local client = require('pilotfish.client')
local say = require('pilotfish.say')

local M = {}

--- A person who inserts text has so many lines around the cursor to themselves.
local NEAR = 10

---@class pilotfish.Answer
---@field applied boolean
---@field failureReason? string

--- The files as they were when their buffers last agreed with them, to notice what others wrote since.
---@type table<integer, {mtime: table, size: integer}>
local agreed = {}

---@param bufnr integer
local function remember(bufnr)
  local stat = vim.uv.fs_stat(vim.api.nvim_buf_get_name(bufnr))
  agreed[bufnr] = stat and { mtime = stat.mtime, size = stat.size }
end

--- Whether the buffer can be written with no question asked and nobody's work written over.
---@param bufnr integer
---@return boolean
local function is_safe_to_save(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  local stat = vim.uv.fs_stat(name)
  if vim.bo[bufnr].readonly or not stat or vim.fn.filewritable(name) ~= 1 then
    return false
  end
  return vim.deep_equal(agreed[bufnr], { mtime = stat.mtime, size = stat.size })
end

---@param bufnr integer
local function save(bufnr)
  if not is_safe_to_save(bufnr) then
    return
  end
  local confirm = vim.o.confirm
  vim.o.confirm = false
  local saved, why = pcall(vim.api.nvim_buf_call, bufnr, function()
    vim.cmd('silent update')
  end)
  vim.o.confirm = confirm
  if not saved then
    say.warn(('%s was changed and could not be saved: %s'):format(vim.fs.basename(vim.api.nvim_buf_get_name(bufnr)), why))
  end
end

--- Which lines the person is at work on, as far as a change there would be in their way: around the cursor while they type, and from the
--- beginning of the text while something is selected, since not every editor moves the selection along.
---@param mode string
---@return integer? first, integer? last rows from 0
local function occupied(mode)
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  if mode:match('^[vVsS\22\19]') then
    return 0, math.max(row, vim.fn.line('v') - 1)
  elseif mode:match('^[iR]') then
    return row - NEAR, row + NEAR
  end
end

--- Whether the person is in the middle of something where a text is to change.
---@param bufnr integer
---@param edits lsp.TextEdit[]
---@return boolean
local function is_busy(bufnr, edits)
  if vim.api.nvim_get_current_buf() ~= bufnr then
    return false
  end
  local mode = vim.api.nvim_get_mode().mode
  -- A menu, or an operator that waits for its motion: the next key must still mean the same.
  if mode:match('^[iR].?[cx]') or mode:match('^no') or vim.fn.pumvisible() == 1 then
    return true
  end
  local first, last = occupied(mode)
  return first ~= nil and vim.iter(edits):any(function(edit)
    return edit.range.start.line <= last and edit.range['end'].line >= first
  end)
end

--- Why a buffer cannot be changed at all.
---@param bufnr integer
---@return string?
local function obstacle(bufnr)
  if not vim.bo[bufnr].modifiable then
    return "'modifiable' is off"
  end
  if vim.bo[bufnr].readonly then
    return "'readonly' is on"
  end
end

--- The lines that an edit replaces, and how many take their place. Only at the end of a text whose last line has no end does one begin
--- or end inside a line.
---@param edit lsp.TextEdit
---@return integer first, integer last, integer lines
local function extent(edit)
  local first, last = edit.range.start, edit.range['end']
  local _, lines = edit.newText:gsub('\n', '')
  if edit.newText:match('[^\n]$') then
    lines = lines + 1
  end
  return first.line + math.min(first.character, 1), last.line + math.min(last.character, 1), lines
end

--- Where a line is after edits, which are in order. A line that is replaced stays as far down in what replaces it.
---@param row integer
---@param edits lsp.TextEdit[]
---@return integer
local function moved(row, edits)
  local shift = 0
  for _, edit in ipairs(edits) do
    local first, last, lines = extent(edit)
    if last <= row then
      shift = shift + lines - (last - first)
    elseif first <= row then
      return first + shift + math.min(row - first, math.max(lines - 1, 0))
    end
  end
  return row + shift
end

---@param bufnr integer
---@return table<integer, vim.fn.winsaveview.ret>
local function views(bufnr)
  local found = {}
  for _, window in ipairs(vim.fn.win_findbuf(bufnr)) do
    found[window] = vim.api.nvim_win_call(window, vim.fn.winsaveview)
  end
  return found
end

---@param saved table<integer, vim.fn.winsaveview.ret>
---@param edits lsp.TextEdit[]
local function restore(saved, edits)
  for window, view in pairs(saved) do
    view.lnum = moved(view.lnum - 1, edits) + 1
    view.topline = moved(view.topline - 1, edits) + 1
    vim.api.nvim_win_call(window, function()
      vim.fn.winrestview(view)
    end)
  end
end

--- The edits that a text went through, as far as lines and their number go.
---@param before string[]
---@param after string[]
---@return lsp.TextEdit[]
local function lines_between(before, after)
  local diff = vim.text and vim.text.diff or vim.diff
  local changes = diff(table.concat(before, '\n') .. '\n', table.concat(after, '\n') .. '\n', { result_type = 'indices' })
  return vim.tbl_map(function(change)
    local first, removed, added = change[1], change[2], change[4]
    first = removed > 0 and first - 1 or first
    local range = { start = { line = first, character = 0 }, ['end'] = { line = first + removed, character = 0 } }
    return { range = range, newText = ('\n'):rep(added) }
  end, changes --[[@as integer[][] ]])
end

--- Reads a file again that was changed below the editor, where the editor would do so by itself and without a question. Windows go on
--- showing the lines they showed.
---@param bufnr integer
function M.read_again(bufnr)
  local is_idle = vim.api.nvim_get_mode().mode == 'n' or vim.api.nvim_get_current_buf() ~= bufnr
  local reads = vim.bo[bufnr].autoread
  if reads == nil then
    reads = vim.go.autoread
  end
  if not is_idle or not reads or vim.bo[bufnr].modified or not vim.uv.fs_stat(vim.api.nvim_buf_get_name(bufnr)) then
    return
  end
  local tick = vim.api.nvim_buf_get_changedtick(bufnr)
  local saved = views(bufnr)
  local before = vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)
  vim.cmd(('silent! checktime %d'):format(bufnr))
  if vim.api.nvim_buf_get_changedtick(bufnr) ~= tick then
    restore(saved, lines_between(before, vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)))
  end
end

--- Ends the step of undo that is open.
---@param bufnr integer
local function break_undo(bufnr)
  vim.bo[bufnr].undolevels = vim.bo[bufnr].undolevels
end

---@param bufnr integer
---@param edits lsp.TextEdit[]
---@param encoding string
local function change(bufnr, edits, encoding)
  local saved = views(bufnr)
  break_undo(bufnr)
  local is_listed = vim.bo[bufnr].buflisted
  vim.lsp.util.apply_text_edits(vim.deepcopy(edits), bufnr, encoding)
  vim.bo[bufnr].buflisted = is_listed
  break_undo(bufnr)
  restore(saved, edits)
  if vim.api.nvim_get_current_buf() == bufnr and vim.fn.mode():match('^[iR]') then
    -- The next key begins a step of its own; nothing but this tells the editor's insert mode so.
    vim.api.nvim_feedkeys(vim.keycode('<C-g>u'), 'ni', false)
  end
end

--- Makes the changes of one file.
---@param document lsp.TextDocumentEdit
---@param encoding string
---@return pilotfish.Answer
local function apply(document, encoding)
  local bufnr = client.buffer(document.textDocument.uri)
  if not bufnr then
    return { applied = false, failureReason = 'the file is not open here' }
  end
  local edits = document.edits
  table.sort(edits, function(a, b)
    return a.range.start.line < b.range.start.line
  end)
  -- Without a reason: it is made anew to the text there is now.
  if document.textDocument.version ~= vim.lsp.util.buf_versions[bufnr] then
    return { applied = false }
  end
  if is_busy(bufnr, edits) then
    return { applied = false, failureReason = 'busy' }
  end
  local why = obstacle(bufnr)
  if why then
    return { applied = false, failureReason = why }
  end
  local was_saved = not vim.bo[bufnr].modified
  local changed, problem = pcall(change, bufnr, edits, encoding)
  if not changed then
    return { applied = false, failureReason = tostring(problem) }
  end
  if was_saved then
    save(bufnr)
  end
  return { applied = true }
end

--- Answers `workspace/applyEdit`.
---@param _ any
---@param params lsp.ApplyWorkspaceEditParams
---@param context lsp.HandlerContext
---@return pilotfish.Answer
function M.handle(_, params, context)
  local language_client = assert(vim.lsp.get_client_by_id(context.client_id))
  local documents = params.edit.documentChanges or {}
  -- One file each: either all of a request is done or nothing.
  if #documents ~= 1 or not documents[1].textDocument then
    return { applied = false, failureReason = 'an edit is of one file' }
  end
  return apply(documents[1], language_client.offset_encoding)
end

--- Remembers from now on how files were when their buffers agreed with them.
function M.follow()
  client.on_attach(remember)
  vim.api.nvim_create_autocmd({ 'BufReadPost', 'BufWritePost', 'FileChangedShellPost' }, {
    group = vim.api.nvim_create_augroup('pilotfish.edits', {}),
    callback = function(event)
      remember(event.buf)
    end,
  })
end

return M

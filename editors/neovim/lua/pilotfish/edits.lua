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
  local saved, why = pcall(vim.api.nvim_buf_call, bufnr, function() vim.cmd('silent update') end)
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

--- Where a line is after changes, which are in order: of each the first line from 1, how many go, and the same of those that come. A line
--- that is replaced stays as far down in what replaces it.
---@param row integer from 0
---@param changes integer[][]
---@return integer
local function moved(row, changes)
  local shift = 0
  for _, change in ipairs(changes) do
    local removed, added = change[2], change[4]
    local first = removed > 0 and change[1] - 1 or change[1]
    if first + removed <= row then
      shift = shift + added - removed
    elseif first <= row then
      return first + shift + math.min(row - first, math.max(added - 1, 0))
    end
  end
  return row + shift
end

---@param bufnr integer
---@return string
local function text(bufnr)
  return table.concat(vim.api.nvim_buf_get_lines(bufnr, 0, -1, false), '\n') .. '\n'
end

--- Changes a text while windows go on showing the lines they showed.
---@param bufnr integer
---@param call fun()
local function keeping_views(bufnr, call)
  local views = {}
  for _, window in ipairs(vim.fn.win_findbuf(bufnr)) do
    views[window] = vim.api.nvim_win_call(window, vim.fn.winsaveview)
  end
  local before, tick = next(views) and text(bufnr), vim.api.nvim_buf_get_changedtick(bufnr)
  call()
  if not before or vim.api.nvim_buf_get_changedtick(bufnr) == tick then
    return
  end
  local diff = vim.text and vim.text.diff or vim.diff
  local changes = diff(before, text(bufnr), { result_type = 'indices' }) --[[@as integer[][] ]]
  for window, view in pairs(views) do
    view.lnum, view.topline = moved(view.lnum - 1, changes) + 1, moved(view.topline - 1, changes) + 1
    vim.api.nvim_win_call(window, function() vim.fn.winrestview(view) end)
  end
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
  keeping_views(bufnr, function() vim.cmd(('silent! checktime %d'):format(bufnr)) end)
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
  local is_listed = vim.bo[bufnr].buflisted
  break_undo(bufnr)
  keeping_views(bufnr, function() vim.lsp.util.apply_text_edits(vim.deepcopy(edits), bufnr, encoding) end)
  break_undo(bufnr)
  vim.bo[bufnr].buflisted = is_listed
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
  require('pilotfish.events').on({ 'BufReadPost', 'BufWritePost', 'FileChangedShellPost' }, function(event)
    remember(event.buf)
  end)
end

return M

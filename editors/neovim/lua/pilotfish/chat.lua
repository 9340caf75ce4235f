--- The chat: the windows of transcript and composer, and what keys do in the transcript. It opens, moves and enters a window only
--- when the person asked for it.
local View = require('pilotfish.view')
local client = require('pilotfish.client')
local composer = require('pilotfish.composer')
local config = require('pilotfish.config')
local fold = require('pilotfish.fold')
local say = require('pilotfish.say')
local scratch = require('pilotfish.scratch')
local session = require('pilotfish.session')
local words = require('pilotfish.words')

local M = {}

--- The buffer of each session.
---@type table<string, integer>
local buffers = {}

local options = vim.tbl_extend('force', scratch.plain, {
  breakindent = true,
  list = false,
  spell = false,
  conceallevel = 2,
  foldenable = true,
  foldlevel = 0,
  foldmethod = 'manual',
  foldtext = '',
  statusline = ' pilotfish',
  fillchars = 'fold: ,eob: ',
  winhighlight = 'Folded:Normal,WinBar:Normal,WinBarNC:Normal',
  winbar = "%{%v:lua.require'pilotfish.status'.winbar()%}",
})

--- The window of this tab that shows a transcript.
---@return integer?
function M.window()
  return scratch.find(View.of)
end

--- A window for a file: the one the person was in before, or another, or one beside the chat.
local function file_window()
  local windows = vim.api.nvim_tabpage_list_wins(0)
  table.insert(windows, 1, vim.fn.win_getid(vim.fn.winnr('#')))
  for _, window in ipairs(windows) do
    local is_there = window ~= 0 and vim.api.nvim_win_get_config(window).relative == ''
    if is_there and vim.bo[vim.api.nvim_win_get_buf(window)].buftype == '' then
      return window
    end
  end
  return vim.api.nvim_open_win(vim.api.nvim_create_buf(true, false), false, { split = 'left', win = -1 })
end

--- Shows a line of a file, outside the chat.
---@param uri string
---@param line integer From 0.
local function show(uri, line)
  vim.api.nvim_set_current_win(file_window())
  vim.lsp.util.show_document({ uri = uri }, 'utf-16', { focus = true })
  -- The file may be shorter by now.
  vim.api.nvim_win_set_cursor(0, { math.max(1, math.min(line + 1, vim.api.nvim_buf_line_count(0))), 0 })
  vim.cmd('normal! zv')
end

--- A `path:line` under the cursor that there is.
local function named_place(root)
  local word = vim.fn.expand('<cWORD>'):gsub('^[%(%[{"\'`<@]+', ''):gsub('[%)%]}"\'`>,.;]+$', '')
  local path, line = word:match('^(.-):(%d+)')
  path = path or word:gsub(':+$', '')
  if path == '' then
    return nil
  end
  local full = vim.startswith(path, '/') and path or vim.fs.joinpath(root, path)
  if vim.uv.fs_stat(full) then
    return { uri = vim.uri_from_fname(full), line = tonumber(line or 1) - 1 }
  end
end

--- Goes where the line leads.
---@param view pilotfish.View
local function follow(view)
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  local place = named_place(view.look.root) or view:place(row)
  if place and place.command == 'earlier' then
    session.earlier(session.state(view.session))
  elseif place and place.command then
    vim.cmd.Pilotfish(place.command)
  elseif place then
    show(place.uri, place.line)
  elseif vim.fn.foldlevel('.') > 0 then
    vim.cmd('normal! za')
  end
end

--- Shows a text to be read, over the windows.
---@param title string
---@param text string
---@param filetype string
function M.float(title, text, filetype)
  local window = scratch.float(scratch.buffer(words.lines(text), filetype), title, { footer = ' q closes ' })
  vim.wo[window].wrap, vim.wo[window].linebreak = true, true
end

--- Reads a long output to its end, page by page, and shows it.
---@param state pilotfish.State
---@param item pilotfish.Item
local function show_output(state, item)
  local content, pieces = item.content, {}
  local function read(offset)
    local params = { sessionId = state.session.id, itemId = item.id, offset = offset, limit = 1048576 }
    client.request('session/output', params, function(error, page)
      if error then
        return say.warn(error.message)
      end
      table.insert(pieces, page.text)
      local next_offset = page.offset + #page.text
      if page.text ~= '' and next_offset < page.total then
        return read(next_offset)
      end
      M.float(content.title, table.concat(pieces), '')
    end)
  end
  if content.outputBytes then
    return read(0)
  end
  M.float(content.title, content.output, '')
end

local whole = { toolCall = show_output }

function whole.compaction(_, item)
  M.float('what the model reads in place of what lies before', item.content.text, 'markdown')
end

function whole.reasoning(_, item)
  M.float('thoughts', item.content.text, 'markdown')
end

function whole.context(_, item)
  local texts = vim.tbl_map(function(part) return ('── %s ──\n%s'):format(part.title, part.text) end, item.content.parts)
  M.float('what the model was given', table.concat(texts, '\n'), '')
end

--- Shows all of the item under the cursor, where the transcript shows less.
---@param view pilotfish.View
local function show_whole(view)
  local state = session.state(view.session)
  local item = state and fold.item(state, view:id(vim.api.nvim_win_get_cursor(0)[1] - 1))
  local way = item and whole[item.content.kind]
  if way then
    way(state, item)
  end
end

---@param view pilotfish.View
---@param step 1|-1
local function jump(view, step)
  for _ = 1, vim.v.count1 do
    local line = view:next(vim.api.nvim_win_get_cursor(0)[1] - 1, step)
    if not line then
      return
    end
    vim.api.nvim_win_set_cursor(0, { line + 1, 0 })
  end
end

---@param view pilotfish.View
local function set_keys(view)
  local function map(keys, action, description)
    for _, key in ipairs(keys) do
      vim.keymap.set('n', key, action, { buffer = view.buffer, nowait = true, desc = description })
    end
  end
  map({ ']]' }, function() jump(view, 1) end, 'next item')
  map({ '[[' }, function() jump(view, -1) end, 'previous item')
  map({ 'gf', '<CR>' }, function() follow(view) end, 'go where the line leads')
  map({ 'K' }, function() show_whole(view) end, 'show all of it')
  map({ 'i', 'a', 'I', 'A', 'o', 'O' }, function()
    M.open(true)
    vim.cmd.startinsert({ bang = true })
  end, 'write a message')
end

--- The buffer of a session's transcript.
---@param state pilotfish.State
---@return pilotfish.View
local function view_of(state)
  local id = state.session.id
  local buffer = buffers[id]
  local view = buffer and View.of(buffer)
  if view and vim.api.nvim_buf_is_loaded(buffer) then
    return view
  end
  buffer = vim.api.nvim_create_buf(false, true)
  buffers[id] = buffer
  vim.api.nvim_buf_set_name(buffer, 'pilotfish://chat/' .. id)
  vim.bo[buffer].bufhidden, vim.bo[buffer].undolevels, vim.bo[buffer].modifiable = 'hide', -1, false
  vim.b[buffer].pilotfish_workspace = state.session.workspace
  view = View.new(buffer, state.session)
  vim.bo[buffer].filetype = 'pilotfish'
  set_keys(view)
  view:reset(state)
  vim.api.nvim_create_autocmd('BufUnload', {
    buffer = buffer,
    callback = function()
      view:drop()
      buffers[id] = nil
      scratch.delete_soon(buffer)
    end,
  })
  return view
end

--- Closes the composer with the transcript.
local function close_together(window, other)
  vim.api.nvim_create_autocmd('WinClosed', {
    pattern = tostring(window),
    once = true,
    callback = function()
      vim.schedule(function()
        if vim.api.nvim_win_is_valid(other) then
          pcall(vim.api.nvim_win_close, other, true)
        end
      end)
    end,
  })
end

--- Shows the current session's transcript and the composer in this tab.
---@param state pilotfish.State
---@return integer composer The composer's window.
local function show_windows(state)
  local view = view_of(state)
  local window = M.window()
  if window then
    if vim.api.nvim_win_get_buf(window) ~= view.buffer then
      vim.api.nvim_win_set_buf(window, view.buffer)
      scratch.set(window, options)
      view:fold_all(window)
    end
  else
    local width = math.floor(vim.o.columns * config.get('width'))
    window = vim.api.nvim_open_win(view.buffer, false, { split = 'right', win = -1, width = width })
    scratch.set(window, options)
    view:fold_all(window)
    view:show_end(window)
  end
  local is_new, below = composer.show(window, state)
  if is_new then
    close_together(window, below)
  end
  return below
end

--- Opens the chat.
---@param enters boolean Whether the cursor goes into the composer.
---@param callback? fun()
function M.open(enters, callback)
  session.ensure(function(state)
    local below = show_windows(state)
    if enters then
      vim.api.nvim_set_current_win(below)
    end
    if callback then
      callback()
    end
  end)
end

--- Hides the chat in this tab.
local function hide()
  local window = M.window()
  composer.hide()
  -- The last window of all cannot be closed, and is left.
  pcall(vim.api.nvim_win_close, window, true)
end

--- Shows the chat, or hides it.
function M.toggle()
  if M.window() then
    return hide()
  end
  M.open(true)
end

--- Asks something. Without words the composer is opened for them.
---@param text string
---@param range? { first: integer, last: integer } Lines of the current buffer that it is about, from 1.
function M.ask(text, range)
  local context = require('pilotfish.context')
  if range then
    context.add(range, true)
  end
  if vim.trim(text) == '' then
    return M.open(true, function() vim.cmd.startinsert({ bang = true }) end)
  end
  M.open(false, function()
    local parts, id = context.take(), session.current().session.id
    session.prompt(vim.list_extend({ { type = 'text', text = text } }, parts), nil, function(error)
      if error then
        composer.put_back(id, text, parts)
      end
    end)
  end)
end

local redraws_tail = {
  turnStarted = true,
  turnEnded = true,
  statusChanged = true,
  queueChanged = true,
  planChanged = true,
  commandChanged = true,
  approvalOpened = true,
  approvalClosed = true,
  itemEnded = true,
  resumed = true,
}

---@param state pilotfish.State?
---@param change pilotfish.Change
local function changed(state, change)
  local buffer = state and buffers[state.session.id]
  local view = buffer and View.of(buffer)
  if change.kind == 'selected' and M.window() then
    return show_windows(state)
  end
  if not view then
    return
  end
  if change.kind == 'attached' then
    view:reset(state)
  elseif change.kind == 'resumed' then
    -- Only what differs is drawn, so that whoever reads goes on where they were.
    for _, item in ipairs(state.items) do
      view:item(state, item.id)
    end
  elseif change.kind == 'earlier' then
    view:earlier(state)
  elseif change.item then
    view:item(state, change.item, change.delta)
  end
  if redraws_tail[change.kind] then
    view:redraw_tail(state)
  end
end

session.on(changed)

return M

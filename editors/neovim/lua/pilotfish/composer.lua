--- Where messages are written: a buffer for each session, whose text is the session's draft, here and in every other editor.
local client = require('pilotfish.client')
local context = require('pilotfish.context')
local say = require('pilotfish.say')
local scratch = require('pilotfish.scratch')
local session = require('pilotfish.session')
local status = require('pilotfish.status')
local words = require('pilotfish.words')

local M = {}

--- A draft is sent when nothing was typed for so long.
local PAUSE = 150

---@class pilotfish.Composer
---@field id string The session.
---@field buffer integer
---@field timer uv.uv_timer_t
---@field pending boolean Whether what was typed is not sent yet.
---@field known string The draft as the daemon has it.
---@field sent string[] Drafts that were sent and not heard back.
---@field completed? string What stood before the cursor when completion began.
---@field edits? pilotfish.Queued The waiting message that is being changed.
---@field before? string[] What stood here before that.
---@field asking? boolean Whether the daemon is asked what a line that begins with `/` does.

---@type table<string, pilotfish.Composer>
local composers = {}

local options = vim.tbl_extend('force', scratch.plain, {
  winfixheight = true,
  winhighlight = 'WinBar:Normal,WinBarNC:Normal',
  fillchars = 'eob: ',
  winbar = "%{%v:lua.require'pilotfish.composer'.winbar()%}",
  statusline = ' message',
})

local hint = vim.api.nvim_create_namespace('pilotfish.composer')

---@param composer pilotfish.Composer
local function lines_of(composer)
  return vim.api.nvim_buf_get_lines(composer.buffer, 0, -1, true)
end

---@param composer pilotfish.Composer
---@return string
local function text_of(composer)
  return table.concat(lines_of(composer), '\n')
end

---@param composer pilotfish.Composer
local function set_lines(composer, lines)
  vim.api.nvim_buf_set_lines(composer.buffer, 0, -1, true, lines)
  vim.bo[composer.buffer].modified = false
end

--- Says what can be done here, while nothing is typed.
---@param composer pilotfish.Composer
local function show_hint(composer)
  vim.api.nvim_buf_clear_namespace(composer.buffer, hint, 0, -1)
  local lines = lines_of(composer)
  if #lines == 1 and lines[1] == '' then
    vim.api.nvim_buf_set_extmark(composer.buffer, hint, 0, 0, {
      virt_text = { { 'Ask, or / for commands, @ for context', 'PilotfishHint' } },
      virt_text_pos = 'overlay',
    })
  end
end

---@param composer pilotfish.Composer
local function send_draft(composer)
  if composer.edits or not vim.api.nvim_buf_is_loaded(composer.buffer) or not client.client() then
    return
  end
  composer.pending = false
  local text = text_of(composer)
  composer.known = text
  table.insert(composer.sent, text)
  client.request('session/draft', { sessionId = composer.id, text = text }, function() end)
end

---@param composer pilotfish.Composer
local function typed(composer)
  show_hint(composer)
  -- It is kept by the daemon, so the editor need not warn of losing it.
  vim.bo[composer.buffer].modified = false
  if not composer.pending and text_of(composer) == composer.known then
    return
  end
  composer.pending = true
  composer.timer:start(PAUSE, 0, vim.schedule_wrap(function() send_draft(composer) end))
end

--- Takes over what was typed elsewhere, unless something is typed here.
---@param composer pilotfish.Composer
---@param text string
local function heard(composer, text)
  for index, sent in ipairs(composer.sent) do
    if sent == text then
      composer.sent = vim.list_slice(composer.sent, index + 1)
      return
    end
  end
  if composer.pending or composer.edits or text_of(composer) == text then
    return
  end
  composer.known = text
  set_lines(composer, vim.split(text, '\n', { plain = true }))
  show_hint(composer)
end

--- After a lost connection what was typed here meanwhile counts, and otherwise what the daemon has.
---@param composer pilotfish.Composer
---@param draft string
local function resumed(composer, draft)
  local is_newer = (composer.pending or #composer.sent > 0) and text_of(composer) ~= draft
  composer.sent, composer.pending = {}, false;
  (is_newer and send_draft or heard)(composer, draft)
end

---@param composer pilotfish.Composer
local function clear(composer)
  set_lines(composer, composer.before or { '' })
  composer.edits, composer.before = nil, nil
  typed(composer)
end

--- Ends the change of a message that does not wait any more. What was written of it is kept, before what stood here.
---@param composer pilotfish.Composer
---@param reason string
local function leave_edit(composer, reason)
  local text = text_of(composer)
  clear(composer)
  M.put_back(composer.id, text)
  say.warn(reason)
end

--- Does what a line that begins with `/` names; without such a thing it is a message.
---@param composer pilotfish.Composer
---@param text string
---@param otherwise fun()
local function run_or(composer, text, otherwise)
  if not text:match('^/[^\n]*$') then
    return otherwise()
  end
  local params = { sessionId = composer.id, text = text, offset = vim.fn.strutf16len(text) }
  if composer.asking then
    return
  end
  composer.asking = true
  client.request('session/complete', params, function(error, list)
    composer.asking = false
    -- It was sent as it stood then; what is another now waits to be sent again.
    if error or composers[composer.id] ~= composer or text_of(composer) ~= text then
      return error and say.warn(error.message)
    end
    for _, candidate in ipairs(list.candidates) do
      if candidate.call and candidate.label == vim.trim(text) then
        clear(composer)
        return client.request(candidate.call.method, candidate.call.params)
      end
    end
    otherwise()
  end)
end

---@param composer pilotfish.Composer
local function requeue(composer, text)
  local input, edits = { { type = 'text', text = text } }, composer.edits
  for _, part in ipairs(edits.input) do
    if part.type ~= 'text' then
      table.insert(input, part)
    end
  end
  local params = { sessionId = composer.id, queuedId = edits.id, input = input }
  client.request('session/requeue', params, function(error)
    if composer.edits ~= edits then
      return
    elseif error then
      return leave_edit(composer, error.message)
    end
    clear(composer)
  end)
end

--- Sends what is written. While a turn runs it waits, or with `steer` reaches the model at its next step.
---@param composer pilotfish.Composer
---@param delivery? 'queue'|'steer'
local function send(composer, delivery)
  local text = text_of(composer)
  if vim.trim(text) == '' then
    return
  end
  if composer.edits then
    return requeue(composer, text)
  end
  run_or(composer, text, function()
    local parts = context.take()
    local input = vim.list_extend({ { type = 'text', text = text } }, parts)
    local params = { sessionId = composer.id, input = input, delivery = delivery }
    clear(composer)
    client.request('session/prompt', params, function(error)
      if error then
        say.warn(error.message)
        M.put_back(composer.id, text, parts)
      end
    end)
  end)
end

--- 'omnifunc': completes `@` and `/` by what the daemon knows.
---@param findstart integer
---@return any
function M.complete(findstart)
  local composer = composers[vim.b.pilotfish_session]
  if not composer then
    return findstart == 1 and -3 or {}
  end
  if findstart == 1 then
    local row, column = unpack(vim.api.nvim_win_get_cursor(0))
    local before = vim.api.nvim_buf_get_text(0, 0, 0, row - 1, column, {})
    local start = before[#before]:match('^%s*()/') or before[#before]:match('.*()@')
    -- It is asked for once more, when the text may be another.
    composer.completed = table.concat(before, '\n')
    return start and start - 1 or -3
  end
  local text = composer.completed
  local params = { sessionId = composer.id, text = text, offset = vim.fn.strutf16len(text) }
  -- Completion cannot wait for later, and the daemon answers at once.
  local list = client.wait_for('session/complete', params, 500)
  local found = {}
  for _, candidate in ipairs(list and list.candidates or {}) do
    table.insert(found, {
      word = candidate.insert,
      abbr = candidate.label,
      menu = candidate.detail,
      user_data = candidate.call and { pilotfish = candidate.call } or nil,
    })
  end
  return found
end

--- What was chosen may be no text but something to do.
---@param composer pilotfish.Composer
local function chosen(composer)
  local data = vim.v.completed_item.user_data
  local call = type(data) == 'table' and data.pilotfish
  if call and vim.v.event.reason ~= 'cancel' then
    clear(composer)
    client.request(call.method, call.params)
  end
end

--- Opens the list by itself behind an `@` and a first `/`, where that cannot put in words nobody chose.
local function offer()
  local column = vim.api.nvim_win_get_cursor(0)[2]
  local line = vim.api.nvim_get_current_line():sub(1, column)
  if vim.fn.pumvisible() == 0 and (line:match('^%s*/$') or line:match('^@$') or line:match('[%s%(%[{,;]@$')) then
    vim.api.nvim_feedkeys(vim.keycode('<C-x><C-o>'), 'n', false)
  end
end

---@param composer pilotfish.Composer
local function set_keys(composer)
  local function map(mode, key, action, description)
    vim.keymap.set(mode, key, action, { buffer = composer.buffer, desc = description })
  end
  local function queue()
    send(composer)
  end
  local function steer()
    send(composer, 'steer')
  end
  map('n', '<CR>', queue, 'send')
  map({ 'n', 'i' }, '<C-s>', queue, 'send')
  map({ 'n', 'i' }, '<Plug>(pilotfish-send)', queue, 'send')
  map('n', '<Esc>', function()
    if composer.edits then
      clear(composer)
    end
  end, 'leave the waiting message as it was')
  map({ 'n', 'i' }, '<M-CR>', steer, 'send now, into the running turn')
  map({ 'n', 'i' }, '<Plug>(pilotfish-steer)', steer, 'send now, into the running turn')
end

---@param composer pilotfish.Composer
local function set_autocommands(composer)
  local group = vim.api.nvim_create_augroup('pilotfish.composer.' .. composer.id, {})
  local function on(events, callback)
    vim.api.nvim_create_autocmd(events, { group = group, buffer = composer.buffer, callback = callback })
  end
  on('BufWriteCmd', function()
    send(composer, vim.v.cmdbang == 1 and 'steer' or nil)
    vim.bo[composer.buffer].modified = false
  end)
  on({ 'TextChanged', 'TextChangedI', 'TextChangedP' }, function() typed(composer) end)
  on('CompleteDone', function() chosen(composer) end)
  on({ 'BufLeave', 'InsertLeave' }, function()
    if composer.pending then
      composer.timer:stop()
      send_draft(composer)
    end
  end)
  -- An unloaded buffer has lost its text and keys, so another one is made.
  on('BufUnload', function()
    composer.timer:stop()
    if composer.pending then
      send_draft(composer)
    end
    composers[composer.id], composer.edits = nil, nil
    scratch.delete_soon(composer.buffer)
  end)
  if vim.fn.has('nvim-0.11') == 1 then
    vim.bo[composer.buffer].completeopt = 'menuone,noselect,popup'
    on('TextChangedI', offer)
  end
end

---@param state pilotfish.State
---@return pilotfish.Composer
local function composer_of(state)
  local id = state.session.id
  if composers[id] and vim.api.nvim_buf_is_loaded(composers[id].buffer) then
    return composers[id]
  end
  local buffer = vim.api.nvim_create_buf(false, false)
  local timer = assert(vim.uv.new_timer())
  local composer = { id = id, buffer = buffer, timer = timer, pending = false, known = state.draft, sent = {} }
  composers[id] = composer
  vim.api.nvim_buf_set_name(buffer, 'pilotfish://message/' .. id)
  vim.b[buffer].pilotfish_session, vim.b[buffer].pilotfish_workspace = id, state.session.workspace
  local buffer_options = vim.bo[buffer]
  buffer_options.buftype, buffer_options.bufhidden, buffer_options.swapfile = 'acwrite', 'hide', false
  buffer_options.omnifunc = "v:lua.require'pilotfish.composer'.complete"
  buffer_options.filetype = 'pilotfish-message'
  set_keys(composer)
  set_autocommands(composer)
  set_lines(composer, vim.split(state.draft, '\n', { plain = true }))
  show_hint(composer)
  return composer
end

--- The window of this tab in which messages are written.
---@return integer?
function M.window()
  return scratch.find(function(buffer) return vim.b[buffer].pilotfish_session end)
end

--- Shows the composer of a session below a window.
---@param above integer
---@param state pilotfish.State
---@return boolean is_new
---@return integer window
function M.show(above, state)
  local composer = composer_of(state)
  local window = M.window()
  local is_new = not window
  if not window then
    window = vim.api.nvim_open_win(composer.buffer, false, { split = 'below', win = above, height = 5 })
  elseif vim.api.nvim_win_get_buf(window) ~= composer.buffer then
    vim.api.nvim_win_set_buf(window, composer.buffer)
  end
  scratch.set(window, options)
  return is_new, window
end

--- Puts a message that could not be sent before what is written: nothing that was written is lost.
---@param id string The session.
---@param text string
---@param parts? pilotfish.InputPart[] What was to go along.
function M.put_back(id, text, parts)
  context.put_back(parts or {})
  local composer = composer_of(session.state(id))
  local now = text_of(composer)
  set_lines(composer, vim.split(now == '' and text or text .. '\n' .. now, '\n', { plain = true }))
  typed(composer)
end

--- Hides it in this tab.
function M.hide()
  local window = M.window()
  if window then
    pcall(vim.api.nvim_win_close, window, true)
  end
end

--- Puts a waiting message here to be changed. What was written comes back after.
---@param state pilotfish.State
---@param queued pilotfish.Queued
function M.edit(state, queued)
  require('pilotfish.chat').open(true, function()
    local composer = composer_of(state)
    composer.before = composer.before or lines_of(composer)
    composer.edits = queued
    set_lines(composer, vim.split((words.prompt(queued.input, state.session.workspace)), '\n', { plain = true }))
    show_hint(composer)
  end)
end

--- The line above: the mode, what goes along, and what the keys do.
---@return string
function M.winbar()
  local composer = composers[vim.b.pilotfish_session]
  local state = composer and session.state(composer.id)
  if not state then
    return ''
  end
  local group = status.groups[state.session.mode] or 'PilotfishHint'
  local names = table.concat(context.names(state.session.workspace), '  ')
  local keys = state.turnId and '⏎ queues  M-⏎ steers' or '⏎ sends'
  if composer.edits then
    keys = 'a waiting message · ⏎ saves  ⎋ leaves'
  end
  local line = '%%#%s#▌%%* %%<%s%%= %%#PilotfishHint#%s%%* '
  return line:format(group, (names:gsub('%%', '%%%%')), keys)
end

session.on(function(state, change)
  local composer = state and composers[state.session.id]
  if not composer then
    return
  end
  local edits = composer.edits
  if change.kind == 'draftChanged' then
    heard(composer, state.draft)
  elseif change.kind == 'resumed' then
    resumed(composer, state.draft)
  elseif change.kind == 'turnStarted' or change.kind == 'turnEnded' or change.kind == 'modeChanged' then
    vim.cmd.redrawstatus({ bang = true })
  end
  local is_gone = edits and not vim.iter(state.queue):any(function(queued) return queued.id == edits.id end)
  if is_gone then
    leave_edit(composer, 'the message does not wait any more; what you wrote of it is here')
  end
end)

return M

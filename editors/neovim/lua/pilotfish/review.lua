--- The hunks that wait for review in the texts that are open: what the daemon says of them, where they are by now, and the person's
--- verbs. Which hunks there are the daemon alone decides.
local client = require('pilotfish.client')
local draw = require('pilotfish.draw')
local say = require('pilotfish.say')

local M = {}

---@alias pilotfish.Verb 'keep'|'undo'|'unkeep'|'accept'|'reject'

--- What a verb is for: the hunk at the cursor unless something is said.
---@class pilotfish.Choice
---@field all? boolean
---@field file? boolean
---@field range? {first: integer, last: integer} Lines from 1, both inside.
---@field count? integer So many hunks, from the one at the cursor on.

local KINDS = { 'add', 'change', 'delete', 'conflict' }

--- Whether a verb can be meant for a hunk.
---@param verb pilotfish.Verb
---@param hunk pilotfish.Hunk
---@return boolean
local function fits(verb, hunk)
  if verb == 'accept' or verb == 'reject' then
    return hunk.state ~= 'applied'
  end
  return hunk.state == 'applied'
end

---@param bufnr integer
---@param hunks pilotfish.Hunk[]
local function count(bufnr, hunks)
  local counts = {}
  for _, kind in ipairs(KINDS) do
    counts[kind] = 0
  end
  for _, hunk in ipairs(hunks) do
    local kind = hunk.state == 'conflict' and 'conflict' or hunk.kind
    counts[kind] = (counts[kind] or 0) + 1
  end
  vim.b[bufnr].pilotfish_hunks = #hunks > 0 and counts or nil
end

--- Shows the hunks of a text, and tells whoever listens.
---@param bufnr integer
---@param hunks pilotfish.Hunk[]
local function show(bufnr, hunks)
  draw.show(bufnr, hunks)
  count(bufnr, hunks)
  require('pilotfish.operators').offer_keys(bufnr, #hunks > 0)
  vim.api.nvim_exec_autocmds('User', { pattern = 'PilotfishReview', data = { buf = bufnr }, modeline = false })
end

--- Takes what the daemon says of a file.
---@param list {uri?: string, version?: integer, hunks: pilotfish.Hunk[]}
local function take(list)
  local bufnr = list.uri and client.buffer(list.uri)
  if not bufnr then
    return
  end
  local hunks = list.hunks
  if #hunks > 0 and list.version ~= vim.lsp.util.buf_versions[bufnr] then
    if list.version then
      -- The text went on meanwhile; what is drawn moves along, and the next list comes.
      return
    end
    -- A command of the agent's wrote the file.
    hunks = {}
    require('pilotfish.edits').read_again(bufnr)
  end
  show(bufnr, hunks)
end

--- Asks for the hunks of a buffer.
---@param bufnr integer
function M.refresh(bufnr)
  local uri = vim.uri_from_fname(client.path(bufnr))
  client.request('review/list', { workspace = client.workspace(bufnr), uri = uri }, function(error, list)
    -- A file outside of every workspace has none.
    if not error and vim.api.nvim_buf_is_valid(bufnr) then
      take({ uri = uri, version = list.version, hunks = list.hunks })
    end
  end, bufnr)
end

--- The hunks of a buffer from its first line to its last, where they are now.
---@type fun(bufnr: integer): pilotfish.Place[]
M.places = draw.places

--- The hunk at the cursor.
---@return pilotfish.Place?
function M.at_cursor()
  return draw.at(vim.api.nvim_get_current_buf(), vim.api.nvim_win_get_cursor(0)[1] - 1)[1]
end

--- The hunks at a line, and those that follow them.
---@param bufnr integer
---@param row integer
---@param verb pilotfish.Verb
---@param wanted integer
---@return pilotfish.Hunk[]
local function at(bufnr, row, verb, wanted)
  local found = {}
  for _, place in ipairs(M.places(bufnr)) do
    local begun = #found > 0 or draw.covers(bufnr, place, row)
    if begun and #found < wanted and fits(verb, place.hunk) then
      table.insert(found, place.hunk)
    end
  end
  return found
end

---@param hunks pilotfish.Hunk[]
---@return string[]
local function ids(hunks)
  return vim.tbl_map(function(hunk)
    return hunk.id
  end, hunks)
end

--- What of a file is meant.
---@param bufnr integer
---@param verb pilotfish.Verb
---@param choice pilotfish.Choice
---@return table? params
local function meant(bufnr, verb, choice)
  local params = { workspace = client.workspace(bufnr), uri = vim.uri_from_fname(client.path(bufnr)) }
  if choice.file then
    return params
  end
  if choice.range then
    params.range = { start = choice.range.first - 1, ['end'] = choice.range.last }
    return params
  end
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  -- What was kept is no hunk any more.
  if verb == 'unkeep' then
    params.range = { start = row, ['end'] = row + 1 }
    return params
  end
  params.hunkIds = ids(at(bufnr, row, verb, choice.count or 1))
  return #params.hunkIds > 0 and params or nil
end

--- Ids say nothing to people, who meant what is at the cursor.
---@param message string
---@param hunks string[]
---@return string
local function without_ids(message, hunks)
  for _, id in ipairs(hunks) do
    message = message:gsub('hunk ' .. vim.pesc(id), 'this hunk')
  end
  return message
end

--- Decides about hunks of the current buffer, or about all of its workspace.
---@param verb pilotfish.Verb
---@param choice pilotfish.Choice
function M.decide(verb, choice)
  local bufnr = vim.api.nvim_get_current_buf()
  local params
  if choice.all then
    params = { workspace = client.workspace(bufnr) }
  elseif not client.is_file(bufnr) then
    return say.warn('this is no file')
  else
    params = meant(bufnr, verb, choice)
  end
  if not params then
    return say.warn(('there is nothing to %s here'):format(verb))
  end
  client.request('review/' .. verb, params, function(error, list)
    if error then
      return say.warn(without_ids(error.message, params.hunkIds or {}))
    end
    if params.uri then
      take({ uri = params.uri, version = list.version, hunks = list.hunks })
    elseif verb == 'keep' then
      say.say('everything is kept; :Pilotfish unkeep all takes that back')
    elseif verb == 'undo' then
      say.say('everything is undone; :Pilotfish restore takes that back')
    end
  end, bufnr)
end

--- Goes to another hunk of the current buffer: so many on, or back where it is less than none. Behind the last is the first.
---@param steps integer
function M.jump(steps)
  local bufnr = vim.api.nvim_get_current_buf()
  local rows = {}
  for _, place in ipairs(M.places(bufnr)) do
    local row = draw.row(bufnr, place)
    if row ~= rows[#rows] then
      table.insert(rows, row)
    end
  end
  if #rows == 0 then
    return say.warn('there is no hunk in this file')
  end
  local here = vim.api.nvim_win_get_cursor(0)[1] - 1
  local before, upto = 0, 0
  for _, row in ipairs(rows) do
    before = before + (row < here and 1 or 0)
    upto = upto + (row <= here and 1 or 0)
  end
  local index = steps > 0 and upto + steps or before + 1 + steps
  vim.cmd("normal! m'")
  vim.api.nvim_win_set_cursor(0, { rows[(index - 1) % #rows + 1] + 1, 0 })
  vim.cmd('normal! zv')
end

--- Follows what the daemon says from now on.
function M.follow()
  client.on('review/changed', take)
  client.on_attach(M.refresh)
  client.on_state(function(state)
    if state ~= 'ready' then
      for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
        if vim.b[bufnr].pilotfish_hunks then
          show(bufnr, {})
        end
      end
    end
  end)
  -- A text that was read again lost what was drawn on it.
  require('pilotfish.events').on('BufReadPost', function(event)
    vim.schedule(function()
      local bound = client.client()
      if bound and vim.api.nvim_buf_is_loaded(event.buf) and bound.attached_buffers[event.buf] then
        M.refresh(event.buf)
      end
    end)
  end)
  draw.follow()
  require('pilotfish.hint').follow()
end

return M

--- The window in which questions of policy are answered. It opens when the person asks for it and never by itself; its keys count
--- nowhere else; and what *always* would save is shown before it is saved.
local Drawing = require('pilotfish.drawing')
local client = require('pilotfish.client')
local fold = require('pilotfish.fold')
local say = require('pilotfish.say')
local scratch = require('pilotfish.scratch')
local session = require('pilotfish.session')
local tail = require('pilotfish.tail')
local words = require('pilotfish.words')

local M = {}

local namespace = vim.api.nvim_create_namespace('pilotfish.approve')

---@class pilotfish.Asking
---@field session string
---@field group { approval: pilotfish.Approval, ids: string[] } The question, and the ids of those that are equal to it.
---@field buffer integer
---@field window integer
---@field preview? pilotfish.RulePreview What *always* would save, while that is shown.

---@type pilotfish.Asking?
local asking

local function close()
  local closing = asking
  asking = nil
  if closing and vim.api.nvim_win_is_valid(closing.window) then
    vim.api.nvim_win_close(closing.window, true)
  end
end

--- The four answers.
local function draw_answers(out, approval)
  local runs = #approval.segments > 0
  out:line({ '' })
  out:line({ { ' 1 ', 'PilotfishApproval' }, runs and 'Run once' or 'Allow once' })
  out:line({ { ' 2 ', 'PilotfishApproval' }, 'Allow for this session' })
  if approval.rule then
    out:line({ { ' 3 ', 'PilotfishApproval' }, 'Always… ', { 'shows first what is saved', 'PilotfishTool' } })
  else
    out:line({ { ' 3 Always cannot be said of this', 'PilotfishHint' } })
  end
  out:line({ '' })
  out:line({ { ' 4 ', 'PilotfishApproval' }, 'No… ', { 'and why, if you like', 'PilotfishTool' } })
end

--- Words as the file of rules has them.
local function list_of(argv)
  local quoted = vim.tbl_map(function(word) return '"' .. word:gsub('[\\"]', '\\%0'):gsub('\n', '\\n') .. '"' end, argv)
  return '[' .. table.concat(quoted, ', ') .. ']'
end

--- What *always* would save.
---@param preview pilotfish.RulePreview
local function draw_preview(out, preview)
  local rule = preview.rule
  local here = rule.scope == 'workspace'
  out:line({ '' })
  out:line({ ' Saves to     ', { vim.fn.fnamemodify(preview.file, ':~'), 'PilotfishTool' } })
  out:line({
    ' Holds        ',
    { here and '● in this project  ○ everywhere' or '○ in this project  ● everywhere', 'PilotfishTool' },
    { '   e switches', 'PilotfishTool' },
  })
  local argv = #rule.argv > 0 and list_of(rule.argv) .. (rule.prefix and ' and any words after' or ', exactly') or 'this'
  out:line({ ' Allows       ', { argv, 'PilotfishApproval' }, { '   w widens, n narrows', 'PilotfishTool' } })
  if #rule.grants > 0 then
    out:line({ ' With         ', { table.concat(rule.grants, ', '), 'PilotfishApproval' } })
  end
  local function rows(label, texts)
    for index, text in ipairs(texts) do
      out:line({ index == 1 and label or '              ', { (text:gsub('\n', '\\n')), 'PilotfishTool' } })
    end
  end
  rows(' Also runs    ', #preview.alsoRuns > 0 and preview.alsoRuns or { 'nothing else' })
  rows(' Still asks   ', preview.stillAsks)
  out:line({ '' })
  out:line({ { ' s ', 'PilotfishApproval' }, 'Save and allow' })
  out:line({ { ' b ', 'PilotfishApproval' }, 'Back' })
end

---@param open pilotfish.Asking
local function drawing_of(open)
  local approval = open.group.approval
  local out = Drawing.new()
  local many = #open.group.ids > 1 and ('%d × '):format(#open.group.ids) or ''
  out:line({ { ' ' .. many .. approval.title, 'PilotfishApproval' } })
  out:line({ '' })
  local state = session.state(open.session)
  out:asked(approval, { root = state and state.session.workspace or '' })
  out:line({ '    ', { 'in ' .. vim.fn.fnamemodify(approval.cwd, ':~'), 'PilotfishTool' } })
  if open.preview then
    draw_preview(out, open.preview)
  else
    draw_answers(out, approval)
  end
  return out
end

--- Shows it, in a window as large as it needs: all of it is to be seen.
---@param open pilotfish.Asking
local function draw(open)
  local out = drawing_of(open)
  vim.bo[open.buffer].modifiable = true
  vim.api.nvim_buf_set_lines(open.buffer, 0, -1, true, out.lines)
  vim.bo[open.buffer].modifiable = false
  for _, span in ipairs(out.spans) do
    vim.api.nvim_buf_set_extmark(open.buffer, namespace, span.line, span.from, { end_col = span.to, hl_group = span.group })
  end
  scratch.fit(open.window)
end

---@param open pilotfish.Asking
---@param decision pilotfish.Decision
---@param note? string
local function answer(open, decision, note)
  local params = { approvalIds = open.group.ids, decision = decision, note = note }
  client.request('approval/answer', params, function(error)
    if error then
      say.warn(error.message)
    end
  end)
  close()
end

--- Asks the daemon what saving a rule would mean, and shows it.
---@param open pilotfish.Asking
---@param rule? pilotfish.Rule
local function preview(open, rule)
  local params = { approvalId = open.group.approval.id, rule = rule }
  client.request('rule/preview', params, function(error, result)
    if asking ~= open then
      return
    end
    if error then
      return say.warn(error.message)
    end
    open.preview = result
    draw(open)
  end)
end

--- Lets the rule hold for more, or for less: first for exactly the words that were asked for, then with any words behind them, then
--- with one word fewer at a time. What cannot be saved the daemon refuses, and says why.
---@param open pilotfish.Asking
---@param step -1|1
local function widen(open, step)
  local rule = vim.deepcopy(open.preview.rule)
  local asked = open.group.approval.rule.argv
  local width = (rule.prefix and #asked - #rule.argv + 1 or 0) + step
  if width < 0 or width > #asked then
    return
  end
  rule.prefix = width > 0
  rule.argv = vim.list_slice(asked, 1, width > 0 and #asked - width + 1 or #asked)
  preview(open, rule)
end

---@param open pilotfish.Asking
local function deny(open)
  vim.ui.input({ prompt = 'No. What should it know? (may be empty) ' }, function(note)
    if note and asking == open then
      answer(open, { kind = 'deny' }, vim.trim(note) ~= '' and note or nil)
    end
  end)
end

---@param open pilotfish.Asking
local function set_keys(open)
  local function map(key, needs_preview, action)
    vim.keymap.set('n', key, function()
      if (open.preview ~= nil) == needs_preview then
        action()
      end
    end, { buffer = open.buffer, nowait = true })
  end
  map('1', false, function() answer(open, { kind = 'once' }) end)
  map('2', false, function() answer(open, { kind = 'session' }) end)
  map('3', false, function()
    if open.group.approval.rule then
      preview(open)
    end
  end)
  map('4', false, function() deny(open) end)
  map('s', true, function() answer(open, { kind = 'always', rule = open.preview.rule }) end)
  map('w', true, function() widen(open, 1) end)
  map('n', true, function() widen(open, -1) end)
  map('e', true, function()
    local rule = vim.deepcopy(open.preview.rule)
    rule.scope = rule.scope == 'workspace' and 'everywhere' or 'workspace'
    preview(open, rule)
  end)
  map('b', true, function()
    open.preview = nil
    draw(open)
  end)
  for _, key in ipairs({ 'q', '<Esc>' }) do
    vim.keymap.set('n', key, close, { buffer = open.buffer, nowait = true })
  end
end

---@param state pilotfish.State
local function open_window(state)
  local groups = tail.groups(state.approvals)
  local buffer = scratch.buffer({}, 'pilotfish-approval')
  local title = #groups > 1 and ('Needs you (1 of %d)'):format(#groups) or 'Needs you'
  if state ~= session.current() then
    title = title .. ' · ' .. words.one_line(state.session.title)
  end
  local open = { session = state.session.id, group = groups[1], buffer = buffer }
  open.window = scratch.float(buffer, title, { footer = ' q later ' })
  vim.wo[open.window].wrap, vim.wo[open.window].linebreak = true, true
  asking = open
  set_keys(open)
  draw(open)
end

--- Opens the window with what waits first: of the current session, else of another. Without one it is a question of the model.
function M.open()
  session.ensure(function()
    close()
    for _, state in ipairs(session.all()) do
      local item = fold.questions(state)[1]
      if #state.approvals > 0 then
        return open_window(state)
      elseif item then
        return require('pilotfish.picker').question(state, item)
      end
    end
    say.say('nothing waits for you')
  end)
end

--- A question that was answered elsewhere is not asked any more.
session.on(function(state, change)
  if not asking or not state or state.session.id ~= asking.session then
    return
  end
  if change.kind ~= 'approvalClosed' and change.kind ~= 'resumed' then
    return
  end
  for _, approval in ipairs(state.approvals) do
    if vim.tbl_contains(asking.group.ids, approval.id) then
      return
    end
  end
  local decision = change.update.decision
  close()
  say.say(decision and ('answered elsewhere: %s'):format(words.decision(decision)) or 'nobody needs to answer that any more')
end)

return M

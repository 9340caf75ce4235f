--- A session's transcript as lines, with what is coloured, folded and jumped to. Pure: it touches no buffer. An item is a block; each
--- block can be drawn anew by itself, and a message that streams grows at its end only.

local Drawing = require('pilotfish.drawing')
local words = require('pilotfish.words')

local M = {}

--- How many lines of an output are in the transcript. `K` shows all.
local most_lines = 100
--- How many of a text that was given.
local most_given = 40
--- How many of an output that is still coming.
local tail_lines = 8
local marks = { running = '▸', done = '✓', failed = '✗', refused = '⊘', interrupted = '■' }
local mark_groups = { failed = 'DiagnosticError', refused = 'PilotfishApproval', interrupted = 'PilotfishApproval' }

local draw = {}

function draw.userMessage(out, content, look)
  local text, attached = words.prompt(content.input, look.root)
  out:line({ { 'You', 'PilotfishUser' } })
  for _, line in ipairs(text ~= '' and words.lines(text) or {}) do
    out:line({ line })
  end
  if attached ~= '' then
    out:line({ { attached, 'PilotfishTool' } })
  end
end

function draw.agentMessage(out, content)
  if content.text == '' then
    return
  end
  local lines = content.completion == 'open' and vim.split(content.text, '\n', { plain = true }) or words.lines(content.text)
  out.lines = lines
  if content.completion == 'interrupted' or content.completion == 'broken' then
    out:line({ '' })
    out:line({ { content.completion == 'broken' and '■ broken off' or '■ interrupted', 'PilotfishTool' } })
  end
end

function draw.reasoning(out, content)
  if content.text == '' then
    return
  end
  if content.completion == 'open' then
    local near = words.one_line(content.text:sub(-300))
    local last = near:match('.*[.!?] (.+)$') or near
    out:line({ { '  ∴ ' .. last, 'PilotfishTool' } })
    return
  end
  local lines = words.lines(content.text)
  out:line({ { '  ∴ ' .. words.one_line(lines[1]:gsub('%*%*', '')), 'PilotfishTool' } })
  if #lines > 1 then
    out:fold()
    for index = 2, #lines do
      out:line({ { '    ' .. lines[index], 'PilotfishTool' } })
    end
  end
end

function draw.toolCall(out, content)
  local more = {}
  if content.status == 'refused' or content.status == 'interrupted' then
    table.insert(more, content.status)
  end
  if content.exitCode and content.exitCode ~= 0 then
    table.insert(more, 'exit ' .. content.exitCode)
  end
  if content.durationMs and content.durationMs >= 1000 then
    table.insert(more, words.duration(content.durationMs))
  end
  local mark = marks[content.status] or content.status
  local group = mark_groups[content.status] or 'PilotfishTool'
  local rest = #more > 0 and ' · ' .. table.concat(more, ' · ') or ''
  out:line({ '  ', { mark, group }, { ' ' .. words.one_line(content.title), 'PilotfishTool' }, { rest, 'PilotfishTool' } })
  if content.output == '' then
    return
  end
  if content.status ~= 'running' then
    out:fold()
  end
  out:tail(content.output, '  │ ', content.status == 'running' and tail_lines or most_lines, 'PilotfishTool')
end

function draw.edit(out, content, look)
  out:edit(content, look, '  ')
  if #content.hunks > 0 then
    out:fold()
    out:changes(content)
  end
end

draw.conflict = draw.edit

function draw.plan(out, content)
  local done, current = words.plan(content.steps)
  local line = ('  ☰ plan %d/%d%s'):format(done, #content.steps, current and ' · ' .. words.one_line(current) or '')
  out:line({ { line, 'PilotfishTool' } })
end

function draw.approval(out, content, look)
  if look.is_open then
    -- The card below the transcript shows it.
    return
  end
  local answer = content.decision and words.decision(content.decision) or 'not answered'
  if content.note then
    answer = answer .. ', “' .. words.one_line(content.note) .. '”'
  end
  -- The answer first: a line that is folded is cut where the window ends.
  out:line({ '  ', { '⚠ ' .. answer, 'PilotfishApproval' }, { ': ' .. content.title, 'PilotfishTool' } })
  out:fold()
  out:asked(content, look)
end

function draw.question(out, content)
  local answer = content.answer and ' · ' .. words.one_line(content.answer) or ''
  local lines = words.lines(content.text)
  out:line({ '  ', { '?', 'PilotfishApproval' }, ' ' .. lines[1], { #lines == 1 and answer or '', 'PilotfishUser' } })
  for index = 2, #lines do
    out:line({ '    ' .. lines[index], { index == #lines and answer or '', 'PilotfishUser' } })
  end
end

function draw.error(out, content)
  for index, line in ipairs(words.lines(content.message)) do
    out:line({ { (index == 1 and '  ✗ ' or '    ') .. line, 'DiagnosticError' } })
  end
end

function draw.context(out, content)
  local titles = {}
  for _, part in ipairs(content.parts) do
    table.insert(titles, part.title)
  end
  local shown = table.concat(titles, ', ', 1, math.min(3, #titles))
  if #titles > 3 then
    shown = shown .. (' and %d more'):format(#titles - 3)
  end
  out:line({ { '  ◇ given: ' .. shown, 'PilotfishTool' } })
  out:fold()
  for _, part in ipairs(content.parts) do
    local left_out = part.leftOut and (' · %s bytes left out'):format(words.short(part.leftOut)) or ''
    local place = part.uri and { uri = part.uri, line = 0 } or nil
    out:line({ { '    ' .. part.title, 'PilotfishTool' }, { left_out, 'PilotfishHint' } }, place)
    out:tail(part.text, '    │ ', most_given, 'PilotfishHint')
  end
end

function draw.compaction(out, content)
  local what = content.way == 'masked' and 'older outputs left out' or 'condensed'
  local line = ('── %s: %s → %s tokens ──'):format(what, words.short(content.tokensBefore), words.short(content.tokensAfter))
  out:line({ { line, 'PilotfishChange' } })
  if content.text ~= '' then
    out:fold()
    for _, summary in ipairs(words.lines(content.text)) do
      out:line({ { '    ' .. summary, 'PilotfishTool' } })
    end
  end
end

function draw.notice(out, content)
  if content.audience == 'model' then
    return
  end
  for index, line in ipairs(words.lines(content.text)) do
    out:line({ { (index == 1 and '  · ' or '    ') .. line, 'PilotfishTool' } })
  end
end

local text_kinds = { userMessage = true, agentMessage = true }

--- An item as a block.
---@param item pilotfish.Item
---@param before? 'text'|'tool' The family of the block before it.
---@param look pilotfish.Look
---@param is_open? boolean Whether it has not ended.
---@return pilotfish.Block
function M.block(item, before, look, is_open)
  local content = item.content
  local out = Drawing.new()
  local way = draw[content.kind]
  if way then
    way(out, content, { root = look.root, is_open = is_open })
  else
    -- A newer daemon's: its word is shown as it is.
    out:line({ { '  · ' .. content.kind, 'PilotfishHint' } })
  end
  return out:block(item.id, text_kinds[content.kind] and 'text' or 'tool', before)
end

--- Lets a message that streams grow. Answers from which line of the block on it changed; nothing when it has to be drawn anew.
---@param block pilotfish.Block
---@param item pilotfish.Item
---@param text string
---@return integer? line
function M.append(block, item, text)
  if item.content.kind ~= 'agentMessage' or #block.lines == 0 then
    return nil
  end
  local lines = vim.split(text, '\n', { plain = true })
  local last = #block.lines
  block.lines[last] = block.lines[last] .. lines[1]
  for index = 2, #lines do
    table.insert(block.lines, lines[index])
  end
  return last - 1
end

--- The line above the oldest item, when there are older ones.
---@return pilotfish.Block
function M.earlier()
  local out = Drawing.new()
  out:line({ { '⌃ earlier: ⏎ loads more', 'PilotfishHint' } }, { command = 'earlier' })
  return out:block('', 'tool')
end

return M

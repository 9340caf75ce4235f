--- What stands below the last item of a transcript: what is being done, what comes next, and what waits for the person. Pure.

local Drawing = require('pilotfish.drawing')
local words = require('pilotfish.words')

local M = {}

local steps = { pending = '○', in_progress = '▸', completed = '✓' }

local function tail_work(out, state)
  -- A tool that runs stands above by itself, and what waits below.
  local what = state.session.status.state
  if state.turnId and what ~= 'running' and what ~= 'waiting' then
    out:line({ { '  ◌ ' .. words.status(state.session.status), 'PilotfishTool' } })
  end
  local plan = state.plan.steps
  local done = words.plan(plan)
  if #plan > 0 and done < #plan then
    local shown = {}
    for _, step in ipairs(plan) do
      table.insert(shown, (steps[step.status] or '·') .. ' ' .. words.one_line(step.step))
    end
    out:line({ { ('  ☰ plan %d/%d  '):format(done, #plan), 'PilotfishTool' }, { table.concat(shown, '  '), 'PilotfishTool' } })
  end
  for _, command in ipairs(state.commands) do
    if not command.exitCode then
      local pieces = { { '  ⚙ ' .. words.one_line(command.command), 'PilotfishTool' }, { ' · in the background', 'PilotfishTool' } }
      out:line(pieces, { command = 'commands' })
    end
  end
end

local function tail_queue(out, state, look)
  for index, queued in ipairs(state.queue) do
    local text, attached = words.prompt(queued.input, look.root)
    local line = ('  ◷ %s: %s'):format(index == 1 and 'next' or 'then', words.one_line(text .. ' ' .. attached))
    out:line({ { line, 'PilotfishUser' } }, { command = 'queue' })
  end
end

--- Questions that are equal are asked as one.
---@param approvals pilotfish.Approval[]
---@return { approval: pilotfish.Approval, ids: string[] }[]
function M.groups(approvals)
  local groups, known = {}, {}
  for _, approval in ipairs(approvals) do
    local key = vim.json.encode({ approval.title, approval.detail, approval.cwd, approval.reason, approval.grants })
    if #approval.edits > 0 then
      key = approval.id
    end
    if not known[key] then
      known[key] = { approval = approval, ids = {} }
      table.insert(groups, known[key])
    end
    table.insert(known[key].ids, approval.id)
  end
  return groups
end

--- A card is apart from what is above it.
local function apart(out, before)
  if #out.lines > 0 or before == 'tool' then
    out:line({ '' })
  end
end

local function tail_asked(out, state, questions, before, look)
  local groups = M.groups(state.approvals)
  for index, group in ipairs(groups) do
    local many = #group.ids > 1 and ('%d × '):format(#group.ids) or ''
    local number = #groups > 1 and (' (%d of %d)'):format(index, #groups) or ''
    local place = { command = 'approve' }
    local title = ('⚠ Needs you%s: %s%s'):format(number, many, group.approval.title)
    apart(out, before)
    out:line({ '  ', { title, 'PilotfishApproval' } }, place)
    local first = #out.lines
    out:asked(group.approval, look)
    for line = first, #out.lines - 1 do
      out.places[line] = place
    end
    out:line({ { '    ⏎ or :Pilotfish approve answers', 'PilotfishTool' } }, place)
  end
  for _, item in ipairs(questions) do
    local place = { command = 'approve' }
    apart(out, before)
    out:line({ '  ', { '? It asks you', 'PilotfishApproval' } }, place)
    for number, choice in ipairs(item.content.choices) do
      out:line({ ('    %d %s'):format(number, words.one_line(choice)) }, place)
    end
    out:line({ { '    ⏎ or :Pilotfish approve answers', 'PilotfishTool' } }, place)
  end
end

local modes = {
  ['read-only'] = 'Read-only: it reads and answers. It changes nothing; what it would change it proposes.',
  agent = 'Agent: it edits files and runs commands in a sandbox, and asks for what is beyond.',
}

--- What a session without a word says.
local function welcome(out, state)
  if #state.items > 0 or state.turnId then
    return
  end
  out:line({ { '  ' .. (modes[state.session.mode] or state.session.mode), 'PilotfishTool' } })
  if not state.session.model then
    out:line({ { '  No model can be used yet: :Pilotfish model says what is missing.', 'PilotfishConflict' } })
  end
end

--- What stands below the last item: what is being done, what comes next, and what waits for the person.
---@param state pilotfish.State
---@param questions pilotfish.Item[]
---@param before? 'text'|'tool'
---@param look pilotfish.Look
---@return pilotfish.Block
function M.block(state, questions, before, look)
  local out = Drawing.new()
  welcome(out, state)
  tail_work(out, state)
  tail_queue(out, state, look)
  tail_asked(out, state, questions, before, look)
  return out:block('', 'tool', before)
end

return M

--- Small texts for people: paths, sizes, times, and what a prompt is made of. Pure.

local M = {}

--- The lines of a text, without blank ones at its end.
---@param text string
---@return string[]
function M.lines(text)
  return vim.split((text:gsub('\r\n', '\n'):gsub('\n+$', '')), '\n', { plain = true })
end

--- A text in one line.
---@param text string
---@return string
function M.one_line(text)
  return vim.trim((text:gsub('%s*\n%s*', ' ')))
end

--- What a session does, in words.
---@param status pilotfish.SessionStatus
---@return string
function M.status(status)
  return status.text ~= '' and status.text or status.state
end

--- A text in so many columns, cut where it is longer.
---@param text string
---@param width integer
---@return string
function M.fitting(text, width)
  if vim.api.nvim_strwidth(text) <= width then
    return text
  end
  local length = width - 1
  while vim.api.nvim_strwidth(vim.fn.strcharpart(text, 0, length)) > width - 1 do
    length = length - 1
  end
  return vim.fn.strcharpart(text, 0, length) .. '…'
end

--- So many of something.
---@param number integer
---@param noun string
---@return string
function M.count(number, noun)
  return ('%d %s%s'):format(number, noun, number == 1 and '' or 's')
end

--- A number of tokens or bytes in few letters.
---@param number integer
---@return string
function M.short(number)
  if number < 1000 then
    return tostring(number)
  end
  if number < 1000000 then
    return ('%.' .. (number < 10000 and 1 or 0) .. 'fk'):format(number / 1000)
  end
  return ('%.1fM'):format(number / 1000000)
end

--- How long something took.
---@param milliseconds integer
---@return string
function M.duration(milliseconds)
  if milliseconds < 60000 then
    return ('%.1f s'):format(milliseconds / 1000)
  end
  local seconds = math.floor(milliseconds / 1000)
  return ('%d:%02d'):format(math.floor(seconds / 60), seconds % 60)
end

--- A URI as a person reads it: from the workspace's root, if it is in there.
---@param uri string
---@param root string
---@return string
function M.path(uri, root)
  local path = vim.uri_to_fname(uri)
  if vim.startswith(path, root .. '/') then
    return path:sub(#root + 2)
  end
  return path
end

--- A part of a prompt that is no text, as one would type it.
---@param part pilotfish.InputPart
---@param root string
---@return string
function M.part(part, root)
  if part.type == 'selection' or part.type == 'symbol' then
    local last = part.range['end']
    local to = last.character == 0 and math.max(last.line, part.range.start.line + 1) or last.line + 1
    return ('@%s:%d-%d'):format(M.path(part.uri, root), part.range.start.line + 1, to)
  elseif part.type == 'file' then
    return '@' .. M.path(part.uri, root)
  elseif part.type == 'diagnostics' then
    return part.uri and '@problems of ' .. M.path(part.uri, root) or '@problems'
  elseif part.type == 'image' then
    return '[picture]'
  end
  return '@' .. part.type
end

--- What a prompt says, in one text; and what is attached to it, in one line.
---@param input pilotfish.InputPart[]
---@param root string
---@return string text
---@return string attached
function M.prompt(input, root)
  local texts, attached = {}, {}
  for _, part in ipairs(input) do
    if part.type == 'text' then
      table.insert(texts, part.text)
    else
      table.insert(attached, M.part(part, root))
    end
  end
  return table.concat(texts, '\n'), table.concat(attached, '  ')
end

local said = { once = 'allowed once', session = 'allowed for this session', always = 'allowed always', deny = 'denied' }

--- What was answered to a question of policy, in words.
---@param decision pilotfish.Decision
---@return string
function M.decision(decision)
  return said[decision.kind] or decision.kind
end

--- How many steps of a plan are done, and which one is under way.
---@param plan_steps pilotfish.PlanStep[]
---@return integer done
---@return string? current
function M.plan(plan_steps)
  local done, current = 0, nil
  for _, step in ipairs(plan_steps) do
    if step.status == 'completed' then
      done = done + 1
    elseif step.status == 'in_progress' then
      current = current or step.step
    end
  end
  return done, current
end

return M

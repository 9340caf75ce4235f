--- Whether what a folder ships for agents may take effect: shown, and said.
local client = require('pilotfish.client')
local say = require('pilotfish.say')

local M = {}

---@param answer {trust: string, ships: {path: string, counts: boolean, diff?: string}[]}
---@return string[]
local function lines(answer)
  local out = { 'This folder is ' .. answer.trust .. '.', '' }
  for _, shipped in ipairs(answer.ships) do
    table.insert(out, ('%s %s'):format(shipped.counts and '✓' or '·', vim.fn.strtrans(shipped.path)))
    vim.list_extend(out, vim.tbl_map(vim.fn.strtrans, shipped.diff and vim.split(vim.trim(shipped.diff), '\n', { plain = true }) or {}))
  end
  if #answer.ships == 0 then
    table.insert(out, 'It ships nothing that depends on that.')
  end
  vim.list_extend(out, { '', ':Pilotfish trust trusted    what it ships takes effect', ':Pilotfish trust refused    it does not, and sessions are read-only' })
  return out
end

--- Says it of the current folder; without a word shows what was said and what depends on it.
---@param word? 'trusted'|'refused'|'unknown'
function M.say(word)
  local workspace = client.workspace()
  if word then
    return client.request('trust/set', { workspace = workspace, trust = word }, function(error, answer)
      if error then
        return say.warn(error.message)
      end
      say.say(('%s is %s now'):format(vim.fn.fnamemodify(workspace, ':~'), answer.trust))
    end)
  end
  client.request('trust/get', { workspace = workspace }, function(error, answer)
    if error then
      return say.warn(error.message)
    end
    local scratch = require('pilotfish.scratch')
    scratch.float(scratch.buffer(lines(answer)), vim.fn.strtrans(vim.fn.fnamemodify(workspace, ':~')))
  end)
end

return M

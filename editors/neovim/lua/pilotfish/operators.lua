--- What keys do: verbs over a motion or a selection, the hunk as an object, jumps with a count. All of it can be repeated with a dot.
local review = require('pilotfish.review')

local M = {}

local OFFERED = { [']h'] = '<Plug>(pilotfish-next)', ['[h'] = '<Plug>(pilotfish-prev)' }

--- What the operator function does when it is called, also again by a dot.
---@type fun(kind: 'line'|'char'|'block')
local pending

--- The editor calls this after a motion.
---@param kind 'line'|'char'|'block'
function M.operate(kind)
  pending(kind)
end

---@param call fun(kind: 'line'|'char'|'block')
---@param keys string
---@return string
local function operator(call, keys)
  pending = call
  vim.go.operatorfunc = "v:lua.require'pilotfish.operators'.operate"
  return keys
end

--- Keys that decide about the hunk at the cursor; with a count about those behind it too.
---@param verb pilotfish.Verb
---@return string
function M.here(verb)
  return operator(function()
    review.decide(verb, { count = vim.v.count1 })
  end, 'g@l')
end

--- Keys that decide about the lines of a motion, or about what is selected.
---@param verb pilotfish.Verb
---@return string
function M.over(verb)
  return operator(function()
    local first, last = vim.api.nvim_buf_get_mark(0, '[')[1], vim.api.nvim_buf_get_mark(0, ']')[1]
    review.decide(verb, { range = { first = first, last = last } })
  end, 'g@')
end

--- Goes to another hunk.
---@param direction 1|-1
function M.jump(direction)
  review.jump(direction * vim.v.count1)
end

--- Selects the lines of the hunk at the cursor.
function M.select()
  local place = review.at_cursor()
  if not place or place.first == place.last then
    return
  end
  if vim.fn.mode():match('^[vV\22]') then
    vim.cmd('normal! \27')
  end
  vim.api.nvim_win_set_cursor(0, { place.first + 1, 0 })
  vim.cmd('normal! V')
  vim.api.nvim_win_set_cursor(0, { place.last, 0 })
end

--- Maps keys in a buffer that has hunks, where nobody else did, and takes them away again.
---@param bufnr integer
---@param has_hunks boolean
function M.offer_keys(bufnr, has_hunks)
  for lhs, rhs in pairs(OFFERED) do
    local map = vim.api.nvim_buf_call(bufnr, function()
      return vim.fn.maparg(lhs, 'n', false, true)
    end)
    if has_hunks and not next(map) and require('pilotfish.config').get('keys') then
      vim.keymap.set('n', lhs, rhs, { buffer = bufnr, desc = 'pilotfish: go to another hunk' })
    elseif not has_hunks and map.buffer == 1 and map.rhs == rhs then
      vim.keymap.del('n', lhs, { buffer = bufnr })
    end
  end
end

return M

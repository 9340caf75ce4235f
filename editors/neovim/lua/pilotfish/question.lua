--- Answers questions of the model. It opens when the person asks for it and never by itself.
local client = require('pilotfish.client')
local fold = require('pilotfish.fold')
local say = require('pilotfish.say')
local session = require('pilotfish.session')

local M = {}

---@param state pilotfish.State
---@param item pilotfish.Item
---@param answer { choice?: integer, text?: string }
local function send(state, item, answer)
  local params = vim.tbl_extend('error', { sessionId = state.session.id, itemId = item.id }, answer)
  client.request('question/answer', params)
end

---@param state pilotfish.State
---@param item pilotfish.Item
local function ask(state, item)
  local choices = {}
  for index, choice in ipairs(item.content.choices) do
    table.insert(choices, { text = choice, answer = { choice = index - 1 } })
  end
  table.insert(choices, { text = 'Something else…' })
  table.insert(choices, { text = 'Go on without an answer', answer = {} })
  vim.ui.select(choices, {
    prompt = item.content.text,
    kind = 'pilotfish.question',
    format_item = function(choice)
      return choice.text
    end,
  }, function(choice)
    if not choice then
      return
    elseif choice.answer then
      return send(state, item, choice.answer)
    end
    vim.ui.input({ prompt = 'Answer: ' }, function(text)
      if text and vim.trim(text) ~= '' then
        send(state, item, { text = text })
      end
    end)
  end)
end

--- Asks the first question of the model that waits.
function M.open()
  session.ensure(function(state)
    local item = fold.questions(state)[1]
    if not item then
      return say.say('nothing waits for you')
    end
    ask(state, item)
  end)
end

return M

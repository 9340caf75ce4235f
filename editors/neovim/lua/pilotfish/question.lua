--- Answers questions of the model. It opens when the person asks for it and never by itself.
local client = require('pilotfish.client')
local fold = require('pilotfish.fold')
local picker = require('pilotfish.picker')
local say = require('pilotfish.say')
local session = require('pilotfish.session')

local M = {}

---@param state pilotfish.State
---@param item pilotfish.Item
local function ask(state, item)
  local function send(answer)
    local params = vim.tbl_extend('error', { sessionId = state.session.id, itemId = item.id }, answer)
    client.request('question/answer', params)
  end
  local choices = {}
  for index, choice in ipairs(item.content.choices) do
    table.insert(choices, { text = choice, run = function() send({ choice = index - 1 }) end })
  end
  local function in_words()
    vim.ui.input({ prompt = 'Answer: ' }, function(text)
      if text and vim.trim(text) ~= '' then
        send({ text = text })
      end
    end)
  end
  table.insert(choices, { text = 'Something else…', run = in_words })
  table.insert(choices, { text = 'Go on without an answer', run = function() send({}) end })
  picker.choose('question', item.content.text, choices)
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

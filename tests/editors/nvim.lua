-- Drives `pilotfish lsp` with Neovim's own language client, and no plugin. The model behind it is scripted by the test that starts
-- this: see tests/e2e/editors.rs. Arguments: our program, and a folder with the file a.txt.
local program, folder = arg[1], arg[2]

local function wait(what, is_so)
  assert(vim.wait(60000, is_so, 10), 'waited in vain: ' .. what)
end

vim.cmd.edit(folder .. '/a.txt')
local buffer = vim.api.nvim_get_current_buf()
local window = vim.api.nvim_get_current_win()
local client = assert(vim.lsp.start({ name = 'pilotfish', cmd = { program, 'lsp', '--stdio' }, root_dir = folder }))
wait('the server is there', function()
  return vim.lsp.get_client_by_id(client).initialized
end)

local function command(name, argument)
  local params = { command = name, arguments = { argument } }
  local answers = assert(vim.lsp.buf_request_sync(buffer, 'workspace/executeCommand', params, 60000))
  assert(not answers[client].err, vim.inspect(answers))
end

local function hints()
  local lines = {}
  for _, hint in ipairs(vim.diagnostic.get(buffer)) do
    assert(hint.source == 'pilotfish' and hint.severity == vim.diagnostic.severity.HINT, vim.inspect(hint))
    table.insert(lines, hint.lnum + 1)
  end
  table.sort(lines)
  return table.concat(lines, ' ')
end

local function line(number)
  return vim.api.nvim_buf_get_lines(buffer, number - 1, number, true)[1]
end

-- As a person does: with the cursor on the change, from the menu of actions.
local function act(number, title)
  vim.api.nvim_win_set_cursor(window, { number, 0 })
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action)
      return action.title == title
    end,
  })
end

command('pilotfish.toggleMode', { uri = vim.uri_from_bufnr(buffer) })
command('pilotfish.ask', { text = 'change two lines' })
wait('two hints, not ' .. hints(), function()
  return hints() == '2 20'
end)
assert(line(2) == 'two!' and line(20) == 'twenty!', line(2) .. ' ' .. line(20))

-- The answer opened beside, and the person is where they were.
wait('the answer', function()
  for _, other in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_get_name(other):match('/answers/.*%.md$') then
      return table.concat(vim.api.nvim_buf_get_lines(other, 0, -1, false), '\n'):match('changed both') ~= nil
    end
  end
end)
assert(vim.api.nvim_get_current_win() == window)

act(2, 'Keep this hunk')
wait('one hint', function()
  return hints() == '20'
end)
act(20, 'Undo this hunk')
wait('no hint', function()
  return hints() == '' and line(20) == 'line 20'
end)
assert(line(2) == 'two!', line(2))
vim.cmd.write()
io.stdout:write('ok\n')

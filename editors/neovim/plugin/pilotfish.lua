-- What is there from the start: a command, names to map keys to, and colours. Nothing is loaded before one of them is used.
if vim.g.loaded_pilotfish then
  return
end
vim.g.loaded_pilotfish = true

vim.api.nvim_create_user_command('Pilotfish', function(arguments)
  require('pilotfish.commands').run(arguments)
end, {
  nargs = '*',
  range = true,
  bang = true,
  desc = 'pilotfish: alone it says what can follow',
  complete = function(...)
    return require('pilotfish.commands').complete(...)
  end,
})

for name, action in pairs({
  chat = 'chat',
  mode = 'mode',
  approve = 'approve',
  stop = 'stop',
  old = 'old',
  ask = 'ask',
}) do
  vim.keymap.set('n', ('<Plug>(pilotfish-%s)'):format(name), ('<Cmd>Pilotfish %s<CR>'):format(action))
end
-- With the range of what is selected.
vim.keymap.set('x', '<Plug>(pilotfish-ask)', ':Pilotfish ask<CR>', { silent = true })

for name, direction in pairs({ next = 1, prev = -1 }) do
  vim.keymap.set({ 'n', 'x', 'o' }, ('<Plug>(pilotfish-%s)'):format(name), function()
    require('pilotfish.operators').jump(direction)
  end)
end
for _, verb in ipairs({ 'keep', 'undo' }) do
  vim.keymap.set('n', ('<Plug>(pilotfish-%s)'):format(verb), function()
    return require('pilotfish.operators').here(verb)
  end, { expr = true })
  vim.keymap.set({ 'n', 'x' }, ('<Plug>(pilotfish-%s-op)'):format(verb), function()
    return require('pilotfish.operators').over(verb)
  end, { expr = true })
end
vim.keymap.set({ 'x', 'o' }, '<Plug>(pilotfish-hunk)', function()
  require('pilotfish.operators').select()
end)

for group, link in pairs({
  Add = 'DiffAdd',
  Delete = 'DiffDelete',
  Change = 'DiffChange',
  Text = 'DiffText',
  SignAdd = 'Added',
  SignDelete = 'Removed',
  Hint = 'Comment',
  Conflict = 'DiagnosticWarn',
  Approval = 'DiagnosticInfo',
  User = 'Title',
  Tool = 'Comment',
  ModeReadOnly = 'DiagnosticHint',
  ModeAgent = 'WarningMsg',
}) do
  vim.api.nvim_set_hl(0, 'Pilotfish' .. group, { link = link, default = true })
end

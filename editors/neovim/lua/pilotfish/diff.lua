--- A file beside what it was when its review began, in a tab of its own and with the editor's own diff mode.
local client = require('pilotfish.client')
local scratch = require('pilotfish.scratch')

local M = {}

--- Opens the tab. Closing the old text closes it.
function M.open()
  local bufnr = vim.api.nvim_get_current_buf()
  if not client.is_file(bufnr) then
    return require('pilotfish.say').warn('this is no file')
  end
  local uri = vim.uri_from_fname(client.path(bufnr))
  client.request('review/base', { uri = uri }, function(error, base)
    if error then
      return require('pilotfish.say').warn(error.message)
    end
    local text = base.text:gsub(vim.bo[bufnr].fileformat == 'dos' and '\r\n' or '\n', '\n'):gsub('\n$', '')
    local old = scratch.buffer(vim.split(text, '\n', { plain = true }), vim.bo[bufnr].filetype)
    vim.cmd('tab split')
    local tab, now = vim.api.nvim_get_current_tabpage(), vim.api.nvim_get_current_win()
    vim.api.nvim_win_set_buf(now, bufnr)
    local before = vim.api.nvim_open_win(old, false, { split = 'left', win = now })
    for window, title in pairs({ [before] = 'before', [now] = 'now' }) do
      vim.wo[window].winbar = '%#PilotfishHint# ' .. title
      vim.api.nvim_win_call(window, vim.cmd.diffthis)
    end
    local draw = require('pilotfish.draw')
    draw.redraw(bufnr)
    vim.cmd.syncbind()
    vim.api.nvim_create_autocmd('WinClosed', {
      pattern = { tostring(before), tostring(now) },
      once = true,
      callback = vim.schedule_wrap(function()
        if vim.api.nvim_win_is_valid(now) then
          vim.api.nvim_win_call(now, function() vim.cmd.diffoff() end)
          vim.wo[now].winbar = ''
        end
        draw.redraw(bufnr)
      end),
    })
    vim.keymap.set('n', 'q', function()
      if #vim.api.nvim_list_tabpages() > 1 and vim.api.nvim_tabpage_is_valid(tab) then
        vim.cmd.tabclose(vim.api.nvim_tabpage_get_number(tab))
      end
    end, { buffer = old, nowait = true, desc = 'close the comparison' })
  end, bufnr)
end

return M

--- Listens to the editor's own events, in a group of ours.
local M = {}

local group = vim.api.nvim_create_augroup('pilotfish', {})

--- Calls back on each of these events.
---@param events string|string[]
---@param callback fun(event: vim.api.keyset.create_autocmd.callback_args)
---@param pattern? string|string[]
function M.on(events, callback, pattern)
  vim.api.nvim_create_autocmd(events, {
    group = group,
    pattern = pattern,
    -- What a callback gives would end the listening.
    callback = function(event) callback(event) end,
  })
end

return M

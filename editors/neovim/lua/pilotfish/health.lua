--- `:checkhealth pilotfish`: what has to be there, what is enforced, and what stands in the way. It changes nothing.
local client = require('pilotfish.client')
local config = require('pilotfish.config')

local M = {}

local health = vim.health

--- What goes wrong when an option is off.
local options = {
  autoread = 'files that change on the disk are not read again',
  hidden = 'an edit of a file that is not shown cannot stay unsaved',
}

local function check_editor()
  health.start('The editor')
  local version = vim.fn.execute('version'):match('NVIM v(%S+)')
  if vim.fn.has('nvim-0.10') == 1 then
    health.ok('Neovim ' .. version)
  else
    health.error('Neovim ' .. version .. ' is too old', 'Install 0.10 or later')
  end
  for option, means in pairs(options) do
    if not vim.o[option] then
      health.warn(("'%s' is off: %s"):format(option, means), 'set ' .. option)
    end
  end
  health.info(vim.o.undofile and "'undofile' is on: undo outlives the editor" or "'undofile' is off: undo ends with the editor")
  if not require('pilotfish.markdown').is_there() then
    health.info('There is no parser for Markdown: messages are shown without colours')
  end
  local problems = config.problems()
  for _, problem in ipairs(problems) do
    health.error(problem)
  end
  if #problems == 0 then
    health.ok('vim.g.pilotfish is as it can be')
  end
end

---@return string? version
local function check_program()
  health.start('The program')
  local program = config.program()
  if not program then
    local where = config.get('program')
    health.error(('There is no program %s'):format(where), 'Install pilotfish, or set vim.g.pilotfish.program to its path')
    return nil
  end
  local said = vim.system({ program, '--version' }, { text = true }):wait(5000)
  if said.code ~= 0 then
    health.error(('%s does not run: %s'):format(program, vim.trim(said.stderr or '')), 'Install it anew')
    return nil
  end
  local version = vim.trim(said.stdout)
  health.ok(('%s is %s'):format(program, version))
  return version:match('(%S+)$')
end

--- How much memory a process has, where that can be seen.
local function resident(pid)
  local is_there, lines = pcall(vim.fn.readfile, ('/proc/%d/status'):format(pid))
  local kilobytes = is_there and tonumber(table.concat(lines):match('VmRSS:%s+(%d+)'))
  return kilobytes and (' · %.0f MB of memory'):format(kilobytes / 1024) or ''
end

---@param status pilotfish.DaemonStatus
---@param version? string
local function check_daemon(status, version)
  local since = status.startedAt:gsub('T', ' '):gsub('%..*', ' UTC')
  health.ok(('Process %d · since %s%s'):format(status.pid, since, resident(status.pid)))
  if status.protocol == 1 then
    health.ok('It speaks protocol 1, as this plugin does')
  else
    health.error(('It speaks protocol %d, this plugin 1'):format(status.protocol), 'Update the plugin and the program')
  end
  if version and status.version ~= version then
    local words = 'The daemon that runs is %s, the program %s: it makes room between two turns'
    health.warn(words:format(status.version, version), ':Pilotfish restart')
  end
  health.info(('%d sessions in memory, %d turns run'):format(status.sessions, status.turns))
end

local function check_capabilities(capabilities)
  health.start('The sandbox, and what is enforced here')
  for _, capability in ipairs(capabilities) do
    if capability.enforced then
      health.ok(capability.name)
    else
      local mend = capability.mend and { capability.mend } or nil
      health.warn(('not: %s: %s'):format(capability.name, capability.reason or 'not said why'), mend)
    end
  end
end

local function check_models()
  health.start('Models')
  local list, problem = client.wait_for('model/list', {}, 2000)
  if not list then
    return health.error(problem or 'models cannot be listed')
  end
  if list.problem or #list.models == 0 then
    return health.error(list.problem or 'No model is configured', 'pilotfish login')
  end
  for _, model in ipairs(list.models) do
    health.ok(model.name .. (model.default and ' · new sessions use it' or ''))
  end
end

local function check_watches()
  local is_there, lines = pcall(vim.fn.readfile, '/proc/sys/fs/inotify/max_user_watches')
  local most = is_there and tonumber(lines[1])
  if not most then
    return
  elseif most < 65536 then
    local mend = 'sudo sysctl fs.inotify.max_user_watches=524288'
    health.warn(('At most %d folders can be watched: changes in large projects may be seen late'):format(most), mend)
  else
    health.ok(('Up to %d folders can be watched'):format(most))
  end
end

--- Plugins that draw changes of their own in the same lines.
local others = { gitsigns = 'gitsigns.nvim', ['mini.diff'] = 'mini.diff' }

local function check_neighbours()
  health.start('Neighbours')
  for _, lhs in ipairs({ ']h', '[h' }) do
    local taken = vim.fn.maparg(lhs, 'n', false, true)
    if next(taken) and not tostring(taken.desc or ''):find('pilotfish') then
      local mend = ('Map another key to <Plug>(pilotfish-%s)'):format(lhs == ']h' and 'next' or 'prev')
      health.info(('%s is taken, and stays as it is. %s'):format(lhs, mend))
    end
  end
  local found = false
  for name, plugin in pairs(others) do
    if package.loaded[name] then
      found = true
      health.info(plugin .. " draws changes too: vim.g.pilotfish = { diff = 'signs' } draws less")
    end
  end
  if not found then
    health.ok('No other plugin draws changes')
  end
end

local function check_errors()
  health.start('What went wrong')
  local state, reason = client.state()
  if state == 'stopped' and reason then
    health.error(reason, ':Pilotfish restart')
  end
  local said = require('pilotfish.say').all()
  local last = said[#said]
  if last then
    health.info(('Last: %s %s'):format(last.at, last.text))
  end
  health.info('The daemon writes to ' .. require('pilotfish.log').path())
end

--- Called by the editor.
function M.check()
  check_editor()
  local version = check_program()
  health.start('The daemon')
  if version then
    require('pilotfish.start').begin()
    client.start()
    vim.wait(5000, function() return client.state() ~= 'starting' end, 20)
  end
  local status, problem = client.wait_for('daemon/status', {}, 2000)
  if not status then
    health.error(problem or 'it does not answer', ':Pilotfish restart')
  else
    check_daemon(status, version)
    check_watches()
    check_capabilities(status.capabilities)
    check_models()
  end
  check_neighbours()
  check_errors()
end

return M

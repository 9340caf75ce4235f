--- The connection to the daemon: one language client for the whole editor. It finds the program, starts it, starts it again when it
--- ends, and carries requests and notifications. What they mean is others' business.
local config = require('pilotfish.config')
local say = require('pilotfish.say')

local M = {}

local NAME = 'pilotfish'
--- It is started again so often within so many milliseconds, and then no more.
local RESTARTS, WITHIN = 3, 60000

---@alias pilotfish.ConnectionState 'stopped'|'starting'|'ready'
---@alias pilotfish.Callback fun(error: {code: integer, message: string, data?: {kind: string}}?, result: any)

local connection = {
  ---@type pilotfish.ConnectionState
  state = 'stopped',
  ---@type string?
  reason = nil,
  ---@type integer?
  id = nil,
  --- Files begin it, where the editor cannot be asked that.
  is_enabled = false,
  --- What the program ended with last.
  code = 0,
  ---@type integer[]
  restarts = {},
  --- Requests made before it was ready.
  ---@type fun(client: vim.lsp.Client)[]
  waiting = {},
}

--- What waits for an answer, which does not come any more once the connection ends.
---@type table<table, pilotfish.Callback>
local unanswered = {}
---@type table<string, (fun(params: any))[]>
local handlers = {}
---@type (fun(state: pilotfish.ConnectionState, reason: string?))[]
local watchers = {}
---@type (fun(bufnr: integer))[]
local attachers = {}

--- What the daemon sends by itself.
local NOTIFICATIONS = { 'session/update', 'session/changed', 'review/changed', 'daemon/notice' }

local HAS_11 = vim.fn.has('nvim-0.11') == 1

--- Calls a method of a language client, which newer editors have as methods and older ones as functions.
---@param client vim.lsp.Client
---@param method string
local function call(client, method, ...)
  if HAS_11 then
    return client[method](client, ...)
  end
  return client[method](...)
end

---@param state pilotfish.ConnectionState
---@param reason? string
local function become(state, reason)
  connection.state, connection.reason = state, reason
  for _, watcher in ipairs(watchers) do
    watcher(state, reason)
  end
end

--- Whether a buffer shows a file that the daemon is to know of.
---@param bufnr integer
---@return boolean
function M.is_file(bufnr)
  if not vim.api.nvim_buf_is_loaded(bufnr) or vim.bo[bufnr].buftype ~= '' then
    return false
  end
  local name = vim.api.nvim_buf_get_name(bufnr)
  return name ~= '' and not name:match('^%a[%w+.-]+://')
end

--- The path of a buffer's file without links in it, which is how the daemon names files.
---@param bufnr integer
---@return string
function M.path(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  local real = vim.uv.fs_realpath(name)
  if real then
    return real
  end
  local folder = vim.uv.fs_realpath(vim.fs.dirname(name))
  return folder and vim.fs.joinpath(folder, vim.fs.basename(name)) or name
end

--- The buffer that shows a file, if one does and the daemon knows of it.
---@param uri string
---@return integer?
function M.buffer(uri)
  local path = vim.uri_to_fname(uri)
  local client = M.client()
  for bufnr in pairs(client and client.attached_buffers or {}) do
    if vim.api.nvim_buf_is_loaded(bufnr) and M.path(bufnr) == path then
      return bufnr
    end
  end
end

--- The folder that a buffer's sessions belong to; for a session's own buffers it is the session's.
---@param bufnr? integer the current one unless given
---@return string
function M.workspace(bufnr)
  bufnr = bufnr or vim.api.nvim_get_current_buf()
  local name = M.is_file(bufnr) and M.path(bufnr) or nil
  if not name and vim.b[bufnr].pilotfish_workspace then
    return vim.b[bufnr].pilotfish_workspace
  end
  local root = vim.fs.root(name or vim.fn.getcwd(), '.git')
  return vim.uv.fs_realpath(root or vim.fn.getcwd()) or vim.fn.getcwd()
end

--- Calls back with the params of each notification of this name.
---@param method string
---@param handler fun(params: any)
function M.on(method, handler)
  handlers[method] = handlers[method] or {}
  table.insert(handlers[method], handler)
end

--- Calls back whenever the connection comes or goes. After `ready` sessions are to be attached to anew.
---@param watcher fun(state: pilotfish.ConnectionState, reason: string?)
function M.on_state(watcher)
  table.insert(watchers, watcher)
end

--- Calls back for each buffer the daemon gets to know of.
---@param attacher fun(bufnr: integer)
function M.on_attach(attacher)
  table.insert(attachers, attacher)
end

---@return pilotfish.ConnectionState state, string? reason
function M.state()
  return connection.state, connection.reason
end

--- The language client, once it is ready.
---@return vim.lsp.Client?
function M.client()
  local client = connection.id and vim.lsp.get_client_by_id(connection.id)
  return client and client.initialized and client or nil
end

---@param client vim.lsp.Client
---@param method string
---@param params table
---@param callback pilotfish.Callback
---@param bufnr? integer
local function send(client, method, params, callback, bufnr)
  local key = {}
  unanswered[key] = callback
  local function answer(error, result)
    if unanswered[key] then
      unanswered[key] = nil
      callback(error, result)
    end
  end
  -- An empty table would be sent as a list.
  params = next(params) == nil and vim.empty_dict() or params
  if not call(client, 'request', method, params, answer, bufnr) then
    answer({ code = 0, message = 'the connection to the daemon is closed' })
  end
end

--- Asks the daemon. Without a connection one is made first. `callback` gets the error or the result; without one an error is said.
--- What was typed in the current buffer is known to the daemon before it reads this.
---@param method string
---@param params table
---@param callback? pilotfish.Callback
---@param bufnr? integer the buffer whose text this speaks of, instead of the current one
function M.request(method, params, callback, bufnr)
  callback = callback or function(error)
    if error then
      say.warn(error.message)
    end
  end
  local client = M.client()
  if client then
    return send(client, method, params, callback, bufnr)
  end
  table.insert(connection.waiting, function(ready)
    if ready then
      send(ready, method, params, callback, bufnr)
    else
      callback({ code = 0, message = connection.reason or 'there is no connection to the daemon' }, nil)
    end
  end)
  M.start()
end

--- Asks the daemon and waits for the answer, for what cannot come later. Without a connection none is made.
---@param method string
---@param params table
---@param milliseconds integer
---@return any result, string? problem
function M.wait_for(method, params, milliseconds)
  local client = M.client()
  if not client then
    return nil, connection.reason or 'there is no connection to the daemon'
  end
  params = next(params) == nil and vim.empty_dict() or params
  local answer = call(client, 'request_sync', method, params, milliseconds, 0)
  if not answer then
    return nil, ('%s: no answer within %d ms'):format(method, milliseconds)
  end
  return answer.result, answer.err and answer.err.message
end

--- Tells the daemon something that it does not answer. Nothing is sent, and nothing started, without a connection.
---@param method string
---@param params table
function M.notify(method, params)
  local client = M.client()
  if client then
    call(client, 'notify', method, params)
  end
end

---@param ready? vim.lsp.Client
local function answer_waiting(ready)
  local waiting = connection.waiting
  connection.waiting = {}
  for _, waiter in ipairs(waiting) do
    waiter(ready)
  end
end

--- Whether it may be started again after it ended by itself.
---@return boolean
local function may_restart()
  local now = vim.uv.now()
  connection.restarts = vim.tbl_filter(function(at) return now - at < WITHIN end, connection.restarts)
  table.insert(connection.restarts, now)
  return #connection.restarts <= RESTARTS
end

--- Answers what the daemon cannot answer any more.
---@param message string
local function give_up(message)
  local lost = unanswered
  unanswered = {}
  for _, callback in pairs(lost) do
    callback({ code = 0, message = message }, nil)
  end
end

---@param id integer
local function ended(id)
  if id ~= connection.id then
    return
  end
  connection.id = nil
  if vim.v.exiting ~= vim.NIL then
    become('stopped')
    return answer_waiting()
  end
  local reason = ('the connection to the daemon ended (status %d); :Pilotfish log may say why'):format(connection.code)
  if may_restart() then
    become('starting', reason)
    give_up(reason)
    return M.start()
  end
  become('stopped', reason)
  give_up(reason)
  answer_waiting()
  say.warn(reason .. ', :Pilotfish restart tries again')
end

---@param client vim.lsp.Client
local function began(client)
  connection.id = client.id
  vim.schedule(function()
    if not M.client() then
      return
    end
    become('ready')
    M.attach_all()
    answer_waiting(M.client())
  end)
end

---@param client vim.lsp.Client
---@param bufnr integer
local function attached(client, bufnr)
  if client.id == connection.id then
    for _, attacher in ipairs(attachers) do
      attacher(bufnr)
    end
  end
end

---@param bufnr integer
---@param on_dir fun(root: string)
local function root_dir(bufnr, on_dir)
  if M.is_file(bufnr) and M.can_start() then
    on_dir(M.workspace(bufnr))
  end
end

--- One connection serves all folders.
---@param client vim.lsp.Client
---@return boolean
local function reuse_client(client)
  return client.name == NAME and not client:is_stopped()
end

--- Starts the program. That it ended is ours to say: the editor's own message would ask for a key.
---@param dispatchers vim.lsp.rpc.Dispatchers
---@return vim.lsp.rpc.PublicClient
local function spawn(dispatchers)
  local quiet = setmetatable({
    on_exit = function(code)
      connection.code = code
      dispatchers.on_exit(0, 0)
    end,
  }, { __index = dispatchers })
  local program = config.program() or config.get('program')
  return vim.lsp.rpc.start({ program, 'lsp', '--stdio' }, quiet)
end

--- The configuration of the language client, as `vim.lsp.config` takes it.
---@return vim.lsp.Config
function M.config()
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.general.positionEncodings = { 'utf-8', 'utf-16' }
  local routes = {
    ['workspace/applyEdit'] = function(...) return require('pilotfish.edits').handle(...) end,
  }
  for _, method in ipairs(NOTIFICATIONS) do
    routes[method] = function(_, params)
      for _, handler in ipairs(handlers[method] or {}) do
        handler(params)
      end
    end
  end
  return {
    name = NAME,
    cmd = spawn,
    root_dir = root_dir,
    reuse_client = reuse_client,
    capabilities = capabilities,
    init_options = { pilotfish = { protocol = 1, features = { 'diagnostics' } } },
    handlers = routes,
    flags = { debounce_text_changes = 20 },
    on_init = began,
    on_attach = attached,
    on_exit = function(_, _, id) vim.schedule(function() ended(id) end) end,
  }
end

--- Whether the program is there; says once where it is looked for when it is not.
---@return boolean
function M.can_start()
  if config.program() then
    return true
  end
  connection.reason = ('there is no program %s; install it, or set vim.g.pilotfish.program'):format(config.get('program'))
  say.warn_once(connection.reason)
  return false
end

--- The configuration with what the person wrote of it.
---@return vim.lsp.ClientConfig
local function resolved()
  ---@diagnostic disable-next-line: undefined-field
  local written = HAS_11 and vim.lsp.config[NAME] or M.config()
  return vim.tbl_extend('force', written, { name = NAME, root_dir = M.workspace() })
end

--- Makes a connection where there is none.
function M.start()
  if connection.id and vim.lsp.get_client_by_id(connection.id) then
    return
  end
  if not M.can_start() then
    become('stopped', connection.reason)
    return answer_waiting()
  end
  if connection.state ~= 'starting' then
    become('starting')
  end
  local id
  if HAS_11 then
    id = vim.lsp.start(resolved(), { attach = false, reuse_client = reuse_client, silent = true })
  else
    id = vim.lsp.start_client(resolved())
  end
  connection.id = id
  if not id then
    become('stopped', 'the program did not start; :Pilotfish log may say why')
    answer_waiting()
  end
end

--- Ends the connection, and makes another. Sessions go on.
function M.restart()
  connection.restarts = {}
  local client = connection.id and vim.lsp.get_client_by_id(connection.id)
  if client then
    call(client, 'stop')
  else
    M.start()
  end
end

--- Tells the daemon of a buffer's text from now on.
---@param bufnr integer
function M.attach(bufnr)
  if M.client() and M.is_file(bufnr) and not vim.lsp.buf_is_attached(bufnr, connection.id) then
    -- An old text that is shown, and that nobody changed, must not pass for one that the person made of the new one.
    require('pilotfish.edits').read_again(bufnr)
    vim.lsp.buf_attach_client(bufnr, connection.id)
  end
end

--- Tells the daemon of all texts that are open.
function M.attach_all()
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    M.attach(bufnr)
  end
end

--- Whether files that are opened begin a connection.
---@return boolean
local function is_enabled()
  if vim.lsp.is_enabled then
    return vim.lsp.is_enabled(NAME)
  end
  return connection.is_enabled or (vim.lsp._enabled_configs or {})[NAME] ~= nil
end

---@param bufnr integer
local function opened(bufnr)
  if not vim.api.nvim_buf_is_valid(bufnr) or not M.is_file(bufnr) then
    return
  elseif M.client() then
    M.attach(bufnr)
  elseif connection.state == 'stopped' and not connection.reason and is_enabled() then
    M.start()
  end
end

--- Follows which files are opened; those of no known kind too, which the editor's own way of enabling a server leaves out.
function M.follow_buffers()
  require('pilotfish.events').on({ 'BufReadPost', 'BufNewFile', 'BufFilePost' }, function(event)
    vim.schedule(function() opened(event.buf) end)
  end)
end

--- From now on a file that is opened begins a connection, and so does one that is.
function M.enable()
  connection.is_enabled = true
  vim.iter(vim.api.nvim_list_bufs()):each(opened)
end

return M
